import type { StoreName } from './place.ts'
import type { Target } from './request.ts'

/** What a doomed process with an outbox is told. */
export type OutboxOrder = {
  readonly role: 'application' | 'relay'
  readonly store: StoreName
  /** the application's own: a file of SQLite, or a url */
  readonly database: string
  readonly target: Target
  /** differs for each process; part of the names of its rows, and the seed of its choices */
  readonly run: number
  /** ends by SIGKILL at this step, counted from 1; null if somebody else kills it */
  readonly dieAt: number | null
}

/** Before, within or after a statement or a request: `commit sent`. */
export type StepName = string

export function parseOutboxOrder(text: string): OutboxOrder {
  return JSON.parse(text) as OutboxOrder // written by the suite that starts the process
}

/** What an application keeps beside its outbox: rows, numbered for each subject in the order of their commits. */
export const applicationTables = [
  'create table row_of_app (name text primary key, subject text not null, number integer not null)',
  'create table subject_of_app (subject text primary key, number integer not null)',
] as const

export const subjects: readonly string[] = Array.from({ length: 20 }, (_, n) => `subject-${n}`)

export const outboxEventType = 'outbox.row'
