import { existsSync } from 'node:fs'
import type { Outbox } from '@sluice/client/node'
import { Option, type Command } from 'commander'
import { readEnvironment } from './environment.ts'
import { CommandError, exitCodes, toFailure, usage } from './exit.ts'

export type OutboxPlaceOptions = {
  readonly outboxUrl?: string
  readonly outboxFile?: string
  readonly table?: string
}

/** For commands that work on the outbox in the database of an application. */
export function withOutbox(command: Command): Command {
  return command
    .addOption(
      new Option('--outbox-url <url>', 'the Postgres database of the application (SLUICE_OUTBOX_URL)').conflicts(
        'outboxFile',
      ),
    )
    .option('--outbox-file <file>', 'its SQLite file, instead')
    .option('--table <name>', 'the table of the outbox, on Postgres also as schema.table (default: sluice_outbox)')
}

/** A server that says nothing must not hold a relay for ever. */
const answerTimeoutMs = 30_000
const busyTimeoutMs = 5000

/**
 * Runs `act` on the outbox that the options name, and lets go of it afterwards.
 *
 * @throws CommandError that says what to do where there is no database or no table
 */
export async function onOutbox<Result>(
  options: OutboxPlaceOptions,
  act: (outbox: Outbox) => Promise<Result>,
): Promise<Result> {
  const opened = await openOutbox(options)
  try {
    return await act(opened.outbox)
  } catch (error) {
    throw toCommandError(error)
  } finally {
    await opened.close()
  }
}

type Opened = { readonly outbox: Outbox; readonly close: () => Promise<void> }

async function openOutbox({ outboxUrl, outboxFile, table }: OutboxPlaceOptions): Promise<Opened> {
  const { postgresOutbox, sqliteOutbox } = await import('@sluice/client/node')
  if (outboxFile !== undefined) {
    // SQLite would make the file of a wrong name.
    if (!existsSync(outboxFile)) throw usage(`there is no file ${outboxFile}; --outbox-file takes the application's`)
    const { DatabaseSync } = await import('node:sqlite')
    const database = new DatabaseSync(outboxFile, { timeout: busyTimeoutMs })
    return { outbox: toUsage(() => sqliteOutbox(database, { table })), close: async () => database.close() }
  }
  const connectionString = outboxUrl ?? readEnvironment().outboxUrl
  if (connectionString === undefined)
    throw usage('say where the outbox is: --outbox-url postgres://… (SLUICE_OUTBOX_URL), or --outbox-file FILE')
  if (!/^postgres(ql)?:\/\//.test(connectionString)) throw usage('--outbox-url must begin with postgres://')
  const { Pool } = (await import('pg')).default
  const pool = new Pool({
    connectionString,
    max: 2,
    application_name: 'sluice outbox',
    keepAlive: true,
    connectionTimeoutMillis: answerTimeoutMs,
    query_timeout: answerTimeoutMs,
  })
  // Of idle connections; the next statement makes a new one.
  pool.on('error', () => undefined)
  return { outbox: toUsage(() => postgresOutbox(pool, { table })), close: () => pool.end() }
}

function toUsage<Result>(make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

function toCommandError(error: unknown): unknown {
  const isTableMissing = error instanceof Error && /relation .* does not exist|no such table/.test(error.message)
  if (isTableMissing)
    return new CommandError(exitCodes.failed, `${error.message}; make the outbox with: sluice outbox install`)
  // A host with several addresses fails once for each, and the error around them has no text.
  if (error instanceof AggregateError && error.message === '')
    return new Error(error.errors.map((each) => toFailure(each).message).join('; '), { cause: error })
  return error
}
