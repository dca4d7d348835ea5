import { useAddress } from '../../address.ts'
import { EventDetail } from './detail.tsx'
import { EventList } from './list.tsx'

/** The list, and beside it (or in its place, where there is no room) the event that the address names. */
export function Page() {
  const { path } = useAddress()
  const id = path[1]
  return (
    <div class={id ? 'split has-detail' : 'split'}>
      <section class="split-list" aria-label="Events">
        <EventList selected={id} />
      </section>
      {id && (
        <section class="split-detail" aria-label="One event">
          <EventDetail key={id} id={id} />
        </section>
      )}
    </div>
  )
}
