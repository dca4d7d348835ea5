import type { Filter } from '@sluice/client/admin'
import type { Command } from 'commander'
import { readJsonObject, several } from './options.ts'

export type FilterOptions = {
  readonly type?: readonly string[]
  readonly source?: readonly string[]
  readonly subject?: readonly string[]
  readonly filter?: string
}

export function withFilter(command: Command): Command {
  return command
    .option('--type <glob>', 'event types that it wants, as order.*; may be repeated', several)
    .option('--source <glob>', 'sources that it wants; may be repeated', several)
    .option('--subject <glob>', 'subjects that it wants; may be repeated', several)
    .option('--filter <json>', 'the whole filter: a JSON object, or @FILE')
}

/** Undefined where none was given. */
export function toFilter({ type, source, subject, filter }: FilterOptions): Filter | undefined {
  // The hub judges its members and names every fault.
  const whole = filter === undefined ? undefined : (readJsonObject(filter, '--filter') as Filter)
  if (!whole && !type && !source && !subject) return undefined
  return {
    ...whole,
    ...(type && { event_types: [...type] }),
    ...(source && { sources: [...source] }),
    ...(subject && { subjects: [...subject] }),
  }
}
