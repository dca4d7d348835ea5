import { HubError, routes, type Route, type RouteName } from '@sluice/protocol'
import { RegExpRouter } from 'hono/router/reg-exp-router'

export type Match = { readonly name: RouteName; readonly params: Record<string, string> }

/**
 * Finds the route of a request.
 *
 * @throws HubError `not-found`; `method-not-allowed`, with the methods in `details.allow`
 */
export type FindRoute = (method: string, path: string) => Match

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

export function createRouter(): FindRoute {
  // Addresses without parameters are found by name; among the others no two are alike, as the fastest router asks.
  const fixed = new Map<string, Match>()
  const router = new RegExpRouter<RouteName>()
  for (const [name, route] of Object.entries<Route>(routes)) {
    for (const path of route.alias === undefined ? [route.path] : [route.path, route.alias]) {
      const match: Match = { name: name as RouteName, params: {} } // the keys of that object
      if (path.includes('{')) router.add(route.method, path.replaceAll(/\{(\w+)\}/g, ':$1'), match.name)
      else fixed.set(`${route.method} ${path}`, match)
      if (route.below) router.add(route.method, `${path}/*`, match.name)
    }
  }
  const find = (method: string, path: string): Match | undefined => {
    const known = fixed.get(`${method} ${path}`)
    if (known) return known
    const [found, stash] = router.match(method, path)
    const [first] = found
    if (!first) return undefined
    const params: Record<string, string> = {}
    for (const [name, value] of Object.entries(first[1]))
      params[name] = decode(typeof value === 'number' ? (stash?.[value] ?? '') : value)
    return { name: first[0], params }
  }
  return (method, path) => {
    const match = find(method === 'HEAD' ? 'GET' : method, path)
    if (match) return match
    const allow = methods.filter((other) => find(other, path))
    if (allow.length === 0)
      throw new HubError('not-found', `there is nothing at ${path.slice(0, 200)}; GET /docs lists what there is`)
    throw new HubError('method-not-allowed', `${method.slice(0, 20)} is not possible here`, { details: { allow } })
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new HubError('not-found', 'the address is not properly percent-encoded')
  }
}
