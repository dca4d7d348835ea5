import { toValidationError, type InboxPush } from '@sluice/protocol'
import type { Context } from '../context.ts'

/**
 * Whether an address may be pushed to, as it would be found out with the first request.
 *
 * @throws HubError `validation-error` saying why not
 */
export async function checkPush({ outbound }: Context, { url }: InboxPush): Promise<void> {
  try {
    await outbound.check(url)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw toValidationError([{ pointer: '/push/url', detail }])
  }
}
