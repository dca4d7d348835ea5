import { cases, type Case, type Finding, type Verdict } from './cases.ts'
import { createShoot, type Answer, type CheckOptions, type Target } from './receiver.ts'

type CheckedCase = {
  readonly name: string
  readonly verdict: Verdict
  readonly status: number | null
  readonly ms: number | null
  readonly detail: string
}

export type CheckReport = {
  readonly url: string
  readonly scheme: string
  readonly passed: number
  readonly warned: number
  readonly failed: number
  readonly cases: readonly CheckedCase[]
}

/** Beyond this, senders with short patience give up. */
const patienceMs = 5000

export const caseNames: readonly string[] = cases.map(({ name }) => name)

/**
 * Sends a receiver of webhooks what it must take and what it must not, one after the other, and says what it did.
 *
 * @param only names of cases; all unless given
 * @returns undefined, and the reason, if the first message of all finds nobody there
 */
export async function checkReceiver(
  target: Target,
  options: CheckOptions,
  only: readonly string[] = caseNames,
): Promise<CheckReport | { readonly unreachable: string; readonly isRefused: boolean }> {
  const shoot = createShoot(target, options)
  const hello = await shoot({ body: new TextEncoder().encode('{}'), change: () => ({}) })
  if (hello.status === null && hello.place !== 'connected')
    return { unreachable: hello.error, isRefused: hello.place === 'refused' }
  const checked: CheckedCase[] = []
  for (const one of cases.filter(({ name }) => only.includes(name)))
    checked.push(toChecked(one, await run(one, { shoot, target, options })))
  const count = (verdict: Verdict): number => checked.filter((one) => one.verdict === verdict).length
  const { url, scheme } = target
  return { url: url.href, scheme, passed: count('pass'), warned: count('warn'), failed: count('fail'), cases: checked }
}

async function run(one: Case, kit: Parameters<Case['run']>[0]): Promise<Finding> {
  const skipped = one.skip?.(kit.target.scheme)
  if (skipped !== undefined) return { verdict: 'skipped', detail: skipped }
  const finding = await one.run(kit)
  if (finding.verdict !== 'pass' || one.name === 'slow' || !isLate(finding.answer)) return finding
  return { ...finding, verdict: 'warn', detail: `${finding.detail}, but late: answer first, and work afterwards` }
}

const isLate = (answer: Answer | undefined): boolean => answer !== undefined && answer.ms > patienceMs

const toChecked = ({ name }: Case, { verdict, detail, answer }: Finding): CheckedCase => ({
  name,
  verdict,
  status: answer?.status ?? null,
  ms: answer?.ms ?? null,
  detail,
})
