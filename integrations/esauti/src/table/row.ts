import type { RequestOptions } from '@sluice/client'
import type { ListQuery } from '../query.ts'
import type { Fields, Id, Item, List, Success } from '../shapes.ts'
import { define, type Answer } from '../spec.ts'

export { define, extra } from '../spec.ts'

export const everything = ['list', 'get', 'create', 'edit', 'upsert', 'delete', 'batch'] as const

/** Twice leaves the same as once. */
export const idempotent = { repeatable: true } as const

export type OfOne<Member> = (id: Id, query?: ListQuery, options?: RequestOptions) => Promise<List<Member>>
export type Two<Result> = (id: Id, other: Id, options?: RequestOptions) => Promise<Result>
export type Lookup = (options?: RequestOptions) => Promise<readonly Fields[]>
export type DeleteParts<Whole> = (id: Id, parts: readonly Id[], options?: RequestOptions) => Promise<Whole>
export type PointChange = (
  id: Id,
  points: number,
  why?: { readonly eventName?: string | undefined; readonly actionName?: string | undefined },
  options?: RequestOptions,
) => Promise<Success>

/** A resource with the usual operations and no others. */
export function plain(path: string, item: string, items = path) {
  return define<Item>()({ path, items, item, does: everything, extras: {} })
}

export function one(name: string): Answer {
  return { kind: 'item', name }
}

export function record(name: string): Answer {
  return { kind: 'record', name }
}

export function pagesOf(name: string): { readonly input: 'query'; readonly answer: Answer } {
  return { input: 'query', answer: { kind: 'list', name } }
}
