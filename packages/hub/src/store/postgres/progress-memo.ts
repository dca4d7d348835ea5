import type { InboxState } from '../inbox-rules/rows.ts'

/**
 * How far idle inboxes have looked, where that was not worth a commit: remembered by this process, so that polls of a rarely
 * matching inbox do not look at the same rows again. It holds while the settings and the generation are the same.
 */
export type Progress = {
  readonly note: (inbox: InboxState) => void
  readonly recall: (inbox: InboxState) => void
}

const maxInboxes = 100_000

export function createProgress(): Progress {
  const known = new Map<number, { readonly version: string; readonly next: number }>()
  const versionOf = ({ revision, generation }: InboxState): string => `${revision}/${generation}`
  return {
    note: (inbox) => {
      if (inbox.next <= inbox.storedNext) return
      if (known.size >= maxInboxes) known.clear()
      known.set(inbox.id, { version: versionOf(inbox), next: inbox.next })
    },
    recall: (inbox) => {
      const found = known.get(inbox.id)
      if (found && found.version === versionOf(inbox) && found.next > inbox.next) inbox.next = found.next
    },
  }
}
