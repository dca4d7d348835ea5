import type { Inbox, InboxStatus } from '@sluice/client/admin'
import { Badge, type Tone } from '../../ui/badge.tsx'

const tones: Record<InboxStatus, Tone> = { active: 'good', paused: 'off', broken: 'bad', disabled: 'bad' }

export function InboxState({ inbox }: { readonly inbox: Pick<Inbox, 'status' | 'blocked'> }) {
  if (inbox.blocked) return <Badge tone="wait">blocked</Badge>
  return <Badge tone={tones[inbox.status]}>{inbox.status}</Badge>
}

/** What has still to be done. */
export const toOpenCount = ({ behind, waiting, leased, parked }: Inbox): number => behind + waiting + leased + parked
