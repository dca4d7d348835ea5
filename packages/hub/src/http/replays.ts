import type { Route } from '@sluice/protocol'
import type { Principal } from '../domain/authenticate.ts'
import type { Context } from '../domain/context.ts'
import { useOnce } from '../domain/verify-request.ts'

type Asked = { readonly route: Route; readonly body: unknown }

/**
 * What would do something again each time that it comes is done once for each signature.
 *
 * @throws HubError `conflict`
 */
export async function refuseReplay(
  { store, newId }: Context,
  { signature }: Principal,
  { route, body }: Asked,
): Promise<void> {
  if (signature === undefined || route.method === 'GET' || isRepeatable(route, body)) return
  await useOnce(store, signature, newId)
}

function isRepeatable({ repeatable }: Route, body: unknown): boolean {
  if (repeatable !== 'with-lease-id') return repeatable === 'always'
  return typeof body === 'object' && body !== null && 'lease_id' in body && body.lease_id !== undefined
}
