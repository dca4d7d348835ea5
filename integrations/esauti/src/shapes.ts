import type { Condition, Order } from './query.ts'

/** An id as eSauti takes it; answers have numbers. */
export type Id = number | string

/** Members to send; names are those of the instance, its custom fields included. */
export type Fields = Readonly<Record<string, unknown>>

/** Of any resource. Members beside these are as the instance sends them. */
export type Item = {
  readonly id: number
  readonly [member: string]: unknown
}

type Published = Item & {
  readonly isPublished?: boolean
  readonly dateAdded?: string | null
  readonly dateModified?: string | null
}

/** One page of a list. */
export type List<Member> = {
  /** of all pages */
  readonly total: number
  readonly items: readonly Member[]
}

export type Contact = Published & {
  readonly points?: number
  readonly lastActive?: string | null
  readonly owner?: unknown
  readonly tags?: readonly { readonly id?: number; readonly tag: string }[]
  readonly doNotContact?: unknown
  /** by group (`core`, `social`, …), and flat under `all`; `toContactFields` reads them */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** What is known of a contact by name. A tag with `-` before it is taken off. */
export type ContactData = {
  readonly firstname?: string | undefined
  readonly lastname?: string | undefined
  readonly email?: string | undefined
  readonly phone?: string | undefined
  readonly company?: string | undefined
  readonly tags?: readonly string[] | undefined
  readonly owner?: Id | undefined
  /** makes empty values count; without it they change nothing */
  readonly overwriteWithBlank?: boolean | undefined
  readonly [field: string]: unknown
}

export type Company = Published & {
  readonly fields?: Readonly<Record<string, unknown>>
  readonly score?: number | null
}

export type Campaign = Published & {
  readonly name: string
  readonly description?: string | null
  readonly events?: unknown
  readonly lists?: unknown
  readonly forms?: unknown
}

export type Segment = Published & {
  readonly name: string
  readonly alias?: string
  readonly description?: string | null
  readonly isGlobal?: boolean
  readonly filters?: unknown
}

export type Form = Published & {
  readonly name: string
  readonly alias?: string
  readonly fields?: unknown
  readonly actions?: unknown
}

export type Submission = Item & {
  readonly dateSubmitted?: string
  readonly lead?: unknown
  /** by the alias of the field */
  readonly results?: Readonly<Record<string, unknown>>
}

export type Email = Published & {
  readonly name: string
  readonly subject?: string
  readonly emailType?: 'list' | 'template'
  readonly sentCount?: number
  readonly readCount?: number
}

export type Note = Item & { readonly text: string; readonly type?: string; readonly dateTime?: string }

export type Hook = Published & { readonly name: string; readonly webhookUrl?: string; readonly triggers?: unknown }

export type User = Published & { readonly username: string; readonly email?: string }

/** Why a contact is not to be contacted: 1 unsubscribed, 2 bounced, 3 by hand. */
export type DoNotContact = {
  readonly reason?: 1 | 2 | 3 | undefined
  readonly channelId?: Id | undefined
  readonly comments?: string | undefined
}

export type Utm = {
  readonly utm_campaign?: string | undefined
  readonly utm_content?: string | undefined
  readonly utm_medium?: string | undefined
  readonly utm_source?: string | undefined
  readonly utm_term?: string | undefined
  readonly [member: string]: unknown
}

export type Success = { readonly success?: boolean | number; readonly [member: string]: unknown }

export type ActivityQuery = {
  readonly filters?: {
    readonly search?: string | undefined
    readonly includeEvents?: readonly string[] | undefined
    readonly excludeEvents?: readonly string[] | undefined
    readonly dateFrom?: string | undefined
    readonly dateTo?: string | undefined
  }
  /** column and direction */
  readonly order?: readonly [column: string, direction: 'ASC' | 'DESC'] | undefined
  readonly page?: number | undefined
  readonly limit?: number | undefined
}

export type Activity = {
  readonly events: readonly Fields[]
  readonly total?: number | string
  readonly page?: number
  readonly limit?: number
  readonly maxPages?: number
  readonly [member: string]: unknown
}

export type ReportQuery = {
  readonly limit?: number | undefined
  readonly page?: number | undefined
  /** ISO 8601 */
  readonly dateFrom?: string | undefined
  readonly dateTo?: string | undefined
}

/** Of one report: `data`, `dataColumns`, `totalResults` and more, as the instance sends them. */
export type Report = { readonly data?: unknown; readonly totalResults?: number; readonly [member: string]: unknown }

export type StatsQuery = {
  readonly limit?: number | undefined
  readonly start?: number | undefined
  readonly where?: readonly Condition[] | undefined
  readonly order?: readonly Order[] | undefined
}

export type Widget = { readonly data?: unknown; readonly [member: string]: unknown }

export type WidgetQuery = {
  readonly timezone?: string | undefined
  readonly dateFrom?: string | undefined
  readonly dateTo?: string | undefined
  readonly timeUnit?: string | undefined
  readonly filter?: Fields | undefined
  readonly [member: string]: unknown
}

export type Theme = { readonly name?: string; readonly key?: string; readonly [member: string]: unknown }

/** A file to send. */
export type Upload = {
  readonly name: string
  readonly content: Uint8Array<ArrayBuffer> | string
  readonly type?: string
}
