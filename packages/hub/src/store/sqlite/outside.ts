import type { Store } from '../store.ts'
import { createConnecting } from './connecting.ts'
import { createConnections } from './connections.ts'
import { createRateBudgets } from './rate-budgets.ts'
import { createSealedTexts } from './sealed.ts'
import { createSpending } from './spending.ts'
import { createTriggers } from './triggers.ts'

type Parts = Parameters<typeof createTriggers>[0]

/** What belongs to outside services. */
export function createOutside(
  parts: Parts,
): Pick<
  Store,
  'connections' | 'connectSessions' | 'oauthClients' | 'sealedTexts' | 'triggers' | 'spending' | 'rateBudgets'
> {
  return {
    ...createConnecting(parts),
    sealedTexts: createSealedTexts(parts),
    connections: createConnections(parts),
    triggers: createTriggers(parts),
    spending: createSpending(parts),
    rateBudgets: createRateBudgets(parts.nowMs),
  }
}
