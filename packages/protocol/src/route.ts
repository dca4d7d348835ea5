import { z } from 'zod'
import { limits, Pagination } from './event.ts'
import type { Permission } from './key.ts'

/** One line of the route table. */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS'
  /** path templates as OpenAPI writes them */
  readonly path: string
  readonly summary: string
  /** what the key must be allowed to do; `open` needs no key */
  readonly access: Permission | 'open'
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  /** an empty body stands for `{}` */
  readonly bodyOptional?: boolean
  readonly answers: Readonly<
    Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly mediaType?: string }>
  >
  /**
   * What comes again does no more than the first: a retry, or a replay by whoever saw it go by. A signature is good for one
   * request of all other routes that change something. `with-lease-id`: if the body has one.
   */
  readonly repeatable?: 'always' | 'with-lease-id'
  /** more than an event needs; `limits.bodyBytes` where it is not said */
  readonly maxBodyBytes?: number
  /** takes CloudEvents in every mode (`body`), or answers with one or a batch of them to those who accept that */
  readonly cloudEvents?: 'body' | 'one' | 'many'
  /** everything below the path reaches the same handler */
  readonly below?: boolean
  /** paths of the foreign clients that reach the same handler */
  readonly alias?: string
  /** a page for people: it answers HTML, also where it fails */
  readonly isPage?: true
  /** whose requests, answers and errors these are, if not the hub's own */
  readonly dialect?: 'briteevents' | 'esauti' | 'mcp'
  /** for programs that know nothing of this hub, and are asked for what they always send: no part of the client */
  readonly outside?: true
  /** the body of its errors, if it is no plain problem */
  readonly error?: z.ZodType
}

/** A whole number in the query. */
export const limit = (max: number, initial: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().min(1).max(max).default(initial) as unknown as z.ZodDefault<z.ZodCoercedNumber>

export const cursor = z.string().min(1).max(1024).optional()

/** The query of every list. */
export const page = z.object({ limit: limit(limits.pollMax, limits.pollDefault), cursor })

export const ok = <Schema extends z.ZodType>(
  description: string,
  schema: Schema,
): { 200: { description: string; schema: Schema } } => ({ 200: { description, schema } })

/** A page of a list that is named after what it holds. */
export const list = <Item extends z.ZodType>(name: string, item: Item): z.ZodObject =>
  z.object({ [name]: z.array(item), pagination: Pagination })
