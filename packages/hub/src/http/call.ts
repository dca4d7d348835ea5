import type { Permission, RouteName, routes } from '@sluice/protocol'
import type { z } from 'zod'
import type { Principal } from '../domain/authenticate.ts'
import type { HubRequest, HubResponse } from './exchange.ts'

type Routes = typeof routes
type NamesIn<Path> = Path extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never

/** A request that has been let in and read, as its route declares it. */
export type Call<Name extends RouteName> = {
  readonly request: HubRequest
  readonly params: { readonly [Param in NamesIn<Routes[Name]['path']>]: string }
  readonly query: Routes[Name] extends { query: infer Query extends z.ZodType }
    ? z.output<Query>
    : Record<string, never>
  /** the body as its schema made it; for the routes of `rawBodies` the bytes */
  readonly body: Name extends RawBody
    ? Buffer
    : Routes[Name] extends { body: infer Body extends z.ZodType }
      ? z.output<Body>
      : undefined
  readonly principal: Routes[Name]['access'] extends 'open' ? undefined : Principal
  /** For what takes time: throws, as at the beginning, if the key would no longer be let in for this. */
  readonly confirm: (permission: Permission) => Promise<void>
}

type Handler<Name extends RouteName> = (call: Call<Name>) => HubResponse | Promise<HubResponse>
export type Handlers = { readonly [Name in RouteName]: Handler<Name> }

/** Events are stored as they were received: their handlers read the bytes. */
const rawBodyRoutes = [
  'publishEvent',
  'publishBatch',
  'publishBriteEvent',
  'publishBriteEvents',
  'publishEsautiEvent',
  'identifyEsautiCustomer',
] as const
type RawBody = (typeof rawBodyRoutes)[number]
export const rawBodies: ReadonlySet<RouteName> = new Set<RouteName>(rawBodyRoutes)
