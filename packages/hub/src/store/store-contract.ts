import { after, before, describe, it } from 'node:test'
import { appendCases } from './contract/append-cases.ts'
import { connectionCases } from './contract/connection-cases.ts'
import { doorCases } from './contract/door-cases.ts'
import { erasureCases } from './contract/erasure-cases.ts'
import { eventTypeCases, quarantineCases } from './contract/event-type-cases.ts'
import { expiryCases } from './contract/expiry-cases.ts'
import { explainCases } from './contract/explain-cases.ts'
import { filterCases } from './contract/filter-cases.ts'
import { hardeningCases } from './contract/hardening-cases.ts'
import { inboxCases } from './contract/inbox-cases.ts'
import { keyCases } from './contract/key-cases.ts'
import { lapsedCases } from './contract/lapsed-cases.ts'
import { leaseCases } from './contract/lease-cases.ts'
import { orderCases } from './contract/order-cases.ts'
import { acknowledgeCases, peekCases, seekCases } from './contract/place-cases.ts'
import { refreshCases } from './contract/refresh-cases.ts'
import { deadLetterCases, replayCases } from './contract/replay-cases.ts'
import { retentionCases } from './contract/retention-cases.ts'
import { scheduleCases, scheduledEventCases } from './contract/schedule-cases.ts'
import { searchCases } from './contract/search-cases.ts'
import { rateBudgetCases } from './contract/rate-budget-cases.ts'
import { spendingCases } from './contract/spending-cases.ts'
import { ackCases, releaseCases } from './contract/settle-cases.ts'
import { movingCases } from './contract/moving-cases.ts'
import { createStage, followStore, type ContractCases, type OpenStore, type OpenedStore } from './contract/stage.ts'
import { activityCases } from './contract/activity-cases.ts'
import { sourceCases } from './contract/source-cases.ts'
import { triggerCases } from './contract/trigger-cases.ts'
import { wakeCases } from './contract/wake-cases.ts'
import { workspaceCases } from './contract/workspace-cases.ts'

const chapters: Readonly<Record<string, ContractCases>> = {
  workspaces: workspaceCases,
  append: appendCases,
  search: searchCases,
  inboxes: inboxCases,
  lease: leaseCases,
  filters: filterCases,
  acknowledge: ackCases,
  release: releaseCases,
  'leases that are not whole': lapsedCases,
  expiry: expiryCases,
  'acknowledge by event': acknowledgeCases,
  peek: peekCases,
  seek: seekCases,
  replay: replayCases,
  'dead letters': deadLetterCases,
  explain: explainCases,
  'ordering by key': orderCases,
  doors: doorCases,
  retention: retentionCases,
  erasure: erasureCases,
  connections: connectionCases,
  'refreshing tokens': refreshCases,
  triggers: triggerCases,
  'scheduled events': scheduledEventCases,
  schedules: scheduleCases,
  sources: sourceCases,
  'runs, costs and budgets': spendingCases,
  activity: activityCases,
  'rate budgets': rateBudgetCases,
  'keys and audit': keyCases,
  'event types': eventTypeCases,
  quarantine: quarantineCases,
  moving: movingCases,
  hardening: hardeningCases,
  'wake-ups and health': wakeCases,
}

/** Chapters that change or count what is in the whole store, so that each of their tests needs one of its own. */
const alone: ReadonlySet<string> = new Set(['workspaces', 'retention', 'keys and audit', 'moving'])

/**
 * What every store must do, as tests.
 *
 * @param name of the store, as it stands in the report
 * @param skip why it cannot be opened here
 * @example storeContract('sqlite', openTemporaryStore)
 */
export function storeContract(name: string, open: OpenStore, { skip = false }: { skip?: string | false } = {}): void {
  for (const [chapter, cases] of Object.entries(chapters)) {
    void describe(`${name}: ${chapter}`, { skip }, () => {
      if (alone.has(chapter)) runAlone(cases, open)
      else runTogether(cases, open)
    })
  }
}

function runAlone(cases: ContractCases, open: OpenStore): void {
  for (const [title, run] of Object.entries(cases)) {
    void it(title, async () => {
      const opened = await open()
      try {
        await run(await createStage(opened))
      } finally {
        await opened.close()
      }
    })
  }
}

function runTogether(cases: ContractCases, open: OpenStore): void {
  let opened: OpenedStore
  before(async () => {
    opened = followStore(await open())
  })
  after(() => opened.close())
  for (const [index, [title, run]] of Object.entries(cases).entries()) {
    void it(title, async () => run(await createStage(opened, `stage-${index}`)))
  }
}
