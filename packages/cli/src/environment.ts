import { existsSync } from 'node:fs'

/** What the environment says; only this file reads it. Flags win over it. */
export type Environment = {
  readonly url: string | undefined
  readonly apiKey: string | undefined
  readonly data: string | undefined
  readonly databaseUrl: string | undefined
  /** of an application's database */
  readonly outboxUrl: string | undefined
  /** for the hub's own configuration */
  readonly all: Readonly<Record<string, string | undefined>>
}

/** Takes in `.env` of the working folder first; what the environment has already is kept. */
export function readEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env')
  const { env } = process
  return {
    url: env['SLUICE_URL'] || undefined,
    apiKey: env['SLUICE_API_KEY'] || undefined,
    data: env['SLUICE_DATA'] || undefined,
    databaseUrl: env['DATABASE_URL'] || undefined,
    outboxUrl: env['SLUICE_OUTBOX_URL'] || undefined,
    all: env,
  }
}
