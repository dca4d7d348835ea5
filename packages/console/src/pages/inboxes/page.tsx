import { useAddress } from '../../address.ts'
import { InboxDetail } from './detail.tsx'
import { InboxList } from './list.tsx'

export function Page() {
  const { path } = useAddress()
  const [, key, tab = 'waiting'] = path
  return key === undefined ? <InboxList /> : <InboxDetail key={key} name={key} tab={tab} />
}
