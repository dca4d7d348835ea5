import { toValidationError, type InboxAction } from '@sluice/protocol'
import { requirePermission, type Principal } from '../authenticate.ts'
import type { Context } from '../context.ts'
import { requireEventType } from '../publish.ts'
import { checkAction } from '../run-action.ts'

/**
 * Whether a key may give an inbox this action, and whether its mapping can be read.
 *
 * @throws HubError `forbidden`, `not-found`, `conflict` for a connection of another integration, `event-type-not-allowed`,
 * `validation-error` naming each expression that is wrong
 */
export async function checkInboxAction(context: Context, principal: Principal, action: InboxAction): Promise<void> {
  await requireAuthority(context, principal, action)
  const faults = hasExpressions(action.inputs)
    ? await context.transform.check(String(principal.workspace.id), action.inputs)
    : []
  if (faults.length === 0) return
  throw toValidationError(
    faults.map(({ pointer, detail }) => ({ pointer: `/action/inputs${pointer}`, detail: `is no JSONata: ${detail}` })),
  )
}

/**
 * Asked when the action is set, and again before it is run.
 *
 * @throws HubError `forbidden`, `not-found`, `conflict`, `event-type-not-allowed`, `validation-error` for a missing connection
 */
export async function requireAuthority(context: Context, principal: Principal, action: InboxAction): Promise<void> {
  requirePermission(principal, 'act')
  await checkAction(context, principal, { integration: action.integration, name: action.action }, action.connection)
  if (action.result_event_type === undefined) return
  requirePermission(principal, 'publish')
  requireEventType(principal, action.result_event_type)
}

/** Most mappings are looked at on their way to a thread; one without any expression need not go there. */
export const hasExpressions = (mapping: unknown): boolean =>
  mapping !== undefined && JSON.stringify(mapping).includes('"=')
