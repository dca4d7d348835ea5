import type { RequestOptions } from '@sluice/client'
import type { Call } from '@sluice/client/rest'
import type { BatchOutcome } from './batch.ts'
import type { ListQuery } from './query.ts'
import type { Fields, Id, List } from './shapes.ts'

/** What nearly every resource can do. */
export type Operations<Member, Data> = {
  /** One page. `limit` is 30 when left out, and an instance may send fewer than asked for. */
  list(query?: ListQuery, options?: RequestOptions): Promise<List<Member>>
  /**
   * All items, page after page, in the order of their ids unless `orderBy` says another. Pages are counted from the start, so
   * that deleting while it runs may pass over an item.
   *
   * @example for await (const contact of esauti.api.contacts.iterate({ search: 'is:mine' })) console.log(contact.id)
   */
  iterate(query?: ListQuery, options?: RequestOptions): AsyncGenerator<Member, void, undefined>
  /** Rejects with ApiError 404 for an id that does not exist. */
  get(id: Id, options?: RequestOptions): Promise<Member>
  /** Is tried again only where nothing was done (429, 503, no connection): a second time would make a second item. */
  create(data: Data, options?: RequestOptions): Promise<Member>
  /** Changes the members that are given. Rejects with ApiError 404 for an id that does not exist. */
  edit(id: Id, data: Data, options?: RequestOptions): Promise<Member>
  /** Replaces the item: members that are not given are cleared. Makes one, with an id of its own, if there is none. */
  upsert(id: Id, data: Data, options?: RequestOptions): Promise<Member>
  /** The item as it was. */
  delete(id: Id, options?: RequestOptions): Promise<Member>
  /** Up to 200 items in one request; one that is refused does not stop the others. */
  readonly batch: {
    create(items: readonly Data[], options?: RequestOptions): Promise<BatchOutcome<Member>>
    edit(items: readonly (Data & { readonly id: Id })[], options?: RequestOptions): Promise<BatchOutcome<Member>>
    upsert(items: readonly (Data & { readonly id?: Id })[], options?: RequestOptions): Promise<BatchOutcome<Member>>
    delete(ids: readonly Id[], options?: RequestOptions): Promise<BatchOutcome<Member>>
  }
}

export type Operation = Exclude<keyof Operations<unknown, unknown>, 'iterate'>

// A method of any parameters: only `never` fits them all.
type Method = (...args: never[]) => Promise<unknown>

/** One more call of a resource. `Signature` is for the compiler alone; the tests call each and compare. */
export type Extra<Signature extends Method = Method> = {
  readonly method: Call['method']
  /** below `/api/`, with a `{name}` for each of the first parameters */
  readonly path: string
  /** what the parameter after those is */
  readonly input: 'query' | 'body' | 'ids' | 'upload' | 'none'
  /** of the body's member that `ids` go into */
  readonly inputName: string
  readonly answer: Answer
  readonly repeatable: Call['repeatable']
  readonly signature?: Signature
}

/** How an answer becomes what the method promises. */
export type Answer =
  | { readonly kind: 'list' | 'item' | 'record' | 'items'; readonly name: string }
  | { readonly kind: 'all' | 'value' | 'bytes' }

export type Spec<Member, Data, Does extends Operation, Extras> = {
  /** below `/api/` */
  readonly path: string
  /** member of a list's answer that holds the items */
  readonly items: string
  /** member of an answer that holds the one item */
  readonly item: string
  readonly does: readonly Does[]
  readonly extras: Extras
  readonly shape?: { readonly member: Member; readonly data: Data }
}

/** The methods that a spec gives. */
export type Resource<OneSpec> =
  OneSpec extends Spec<infer Member, infer Data, infer Does, infer Extras>
    ? Pick<Operations<Member, Data>, Does | ('list' extends Does ? 'iterate' : never)> & {
        readonly [Name in keyof Extras]: Extras[Name] extends Extra<infer Signature> ? Signature : never
      }
    : never

type ExtraOptions = Partial<Pick<Extra, 'input' | 'inputName' | 'answer' | 'repeatable'>>

/** @param line as `GET contacts/{id}/notes` */
export function extra<Signature extends Method>(
  line: `${Call['method']} ${string}`,
  options: ExtraOptions = {},
): Extra<Signature> {
  const [method, path = ''] = line.split(' ')
  return {
    // The type of the line says so.
    method: method as Call['method'],
    path,
    input: 'none',
    inputName: '',
    answer: { kind: 'value' },
    repeatable: method === 'GET' || 'when-refused',
    ...options,
  }
}

/** In two calls, so that the items' types are given and the rest is inferred. */
export function define<Member, Data = Fields>() {
  return <const Does extends Operation, Extras extends Readonly<Record<string, Extra<Method>>>>(
    spec: Spec<Member, Data, Does, Extras>,
  ): Spec<Member, Data, Does, Extras> => spec
}
