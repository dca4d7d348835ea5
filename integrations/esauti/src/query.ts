import { checkMembers } from './check-members.ts'
import { isRecord } from './php-json.ts'

export type Condition = {
  /** of the table, in snake_case, as `date_added` */
  readonly col: string
  /** `eq`, `neq`, `lt`, `lte`, `gt`, `gte`, `like`, `in`, `isNull`, `andX`, `orX`, … */
  readonly expr: string
  /** for `andX` and `orX` conditions again */
  readonly val?: string | number | boolean | readonly (string | number)[] | readonly Condition[] | undefined
}

export type Order = { readonly col: string; readonly dir?: 'asc' | 'desc' | undefined }

/** Which items of a resource, and how many. */
export type ListQuery = {
  /** items a page; eSauti's default is 30, and instances have a highest */
  readonly limit?: number | undefined
  /** items to pass over, from 0 */
  readonly start?: number | undefined
  /** eSauti's search language, as `email:jane@example.com` or `segment:customers` */
  readonly search?: string | undefined
  /** a column in snake_case */
  readonly orderBy?: string | undefined
  readonly orderByDir?: 'asc' | 'desc' | undefined
  readonly publishedOnly?: boolean | undefined
  /** items without their details */
  readonly minimal?: boolean | undefined
  readonly where?: readonly Condition[] | undefined
  readonly order?: readonly Order[] | undefined
  /** only these members of each item */
  readonly select?: readonly string[] | undefined
}

const names: Readonly<Record<keyof ListQuery, true>> = {
  limit: true,
  start: true,
  search: true,
  orderBy: true,
  orderByDir: true,
  publishedOnly: true,
  minimal: true,
  where: true,
  order: true,
  select: true,
}

/** @throws TypeError for what no list is asked by: eSauti passes over it, and sends everything */
export function checkListQuery(query: ListQuery): void {
  checkMembers('the query of a list', query, { known: Object.keys(names) })
}

type Parameters = Record<string, string>

/** Nested members in brackets, as PHP reads them: `where[0][col]=email`. */
export function toParameters(query: object): Parameters {
  const parameters: Parameters = {}
  for (const [name, value] of Object.entries(query)) add(parameters, name, value)
  // The documents say `publishedOnly`, and the service reads `published`.
  const published = parameters['publishedOnly']
  return published === undefined ? parameters : { ...parameters, published }
}

function add(parameters: Parameters, name: string, value: unknown): void {
  if (value instanceof Date) parameters[name] = value.toISOString()
  else if (Array.isArray(value) || isRecord(value)) {
    for (const [key, member] of Object.entries(value)) add(parameters, `${name}[${key}]`, member)
  }
  // PHP takes the text "false" for true.
  else if (typeof value === 'boolean') parameters[name] = value ? '1' : '0'
  else if (typeof value === 'string' || typeof value === 'number') parameters[name] = String(value)
}
