import { matchesEventType } from '@sluice/protocol'
import type { Wake } from '../../store/store.ts'
import { mayWant } from '../notifier.ts'
import type { Place } from './place.ts'

/**
 * Which inboxes want what was appended. Publishes are heard of thousands of times a second, and most inboxes want none of them: so
 * for each event type it is known who does.
 */
export type Interest = {
  readonly wanting: (wake: Pick<Wake, 'workspaceId' | 'appended'>) => ReadonlySet<Place>
  /** Inboxes or their filters have changed. */
  readonly forget: () => void
}

/** Event types may have numbers in them. */
const rememberedTypes = 1000

type Known = { readonly places: readonly Place[]; readonly byType: Map<string, readonly Place[]> }

export function createInterest(places: ReadonlyMap<string, Place>): Interest {
  let known = new Map<number, Known>()
  const knownOf = (workspaceId: number): Known => {
    const made = known.get(workspaceId) ?? {
      places: [...places.values()].filter((place) => place.workspaceId === workspaceId),
      byType: new Map(),
    }
    known.set(workspaceId, made)
    return made
  }
  return {
    wanting: ({ workspaceId, appended }) => {
      const here = knownOf(workspaceId)
      if (!appended) return new Set(here.places)
      return new Set(
        appended.flatMap((event) => placesOf(here, event.eventType).filter(({ filter }) => mayWant(filter, event))),
      )
    },
    forget: () => {
      known = new Map()
    },
  }
}

function placesOf({ places, byType }: Known, eventType: string): readonly Place[] {
  const found = byType.get(eventType)
  if (found) return found
  const wanting = places.filter(({ filter }) => matchesEventType(filter.event_types ?? [], eventType))
  if (byType.size >= rememberedTypes) byType.clear()
  byType.set(eventType, wanting)
  return wanting
}
