import type { Inbox } from '@sluice/protocol'
import type { InboxRow } from '../../store/store.ts'
import type { Context, Workspace } from '../context.ts'
import { toIso } from '../to-wire.ts'
import { openPush } from './push-secrets.ts'

/** How the hub delivers from an inbox. Names of secret fields, and nothing else of what is sealed. */
export function toWireDoor(context: Context, workspace: Workspace, { door, settings }: InboxRow): Inbox['door'] {
  if (!door) return null
  return {
    key_id: door.keyId,
    reason: door.reason,
    public_key: settings.push ? context.signingKeys.publicKeyOf(workspace.key) : null,
    header_names: settings.push ? namesOf(context, door) : [],
    probe_at: door.probeMs === null ? null : toIso(door.probeMs),
  }
}

function namesOf(context: Context, door: NonNullable<InboxRow['door']>): string[] {
  try {
    return Object.keys(openPush(context, door).headers)
  } catch {
    // Sealed with a secret key that this hub does not have: `reason` says so once something is to be sent.
    return []
  }
}
