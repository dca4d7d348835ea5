import { createServer } from 'node:net'
import { ApiError } from '@sluice/client'
import { createAdmin, type Admin } from '@sluice/client/admin'
import { readEnvironment } from '../environment.ts'
import { defaultUrl } from '../hub.ts'
import type { TargetOptions } from '../target.ts'
import { toReason, type Check } from './check.ts'

/** A clock that is this far off makes times in the log misleading. */
const skewMs = 60_000

type Answer = { readonly version: string; readonly dateMs: number }

/** Port, health, clock and key, as seen through the hub's address; without a hub only the port. */
export async function checkHub(options: TargetOptions): Promise<Check[]> {
  const environment = readEnvironment()
  const baseUrl = options.url ?? environment.url ?? defaultUrl
  const apiKey = options.key ?? environment.apiKey
  const admin = createAdmin({ baseUrl, apiKey, maxRetries: 0, timeoutMs: 5000 })
  const answer = await askStatus(admin)
  if (answer instanceof Error) return [await checkPort(baseUrl, answer)]
  return [
    { name: 'hub', status: 'ok', found: `Sluice ${answer.version} answers at ${baseUrl}` },
    await checkHealth(admin),
    checkClock(answer.dateMs),
    await checkKey(admin, apiKey),
  ]
}

async function askStatus(admin: Admin): Promise<Answer | Error> {
  let dateMs = Number.NaN
  try {
    const status = await admin.getStatus({ onAnswer: (answer) => (dateMs = Date.parse(answer.header('date') ?? '')) })
    return { version: status.version, dateMs }
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

/** No hub answers: is the port free for one? */
async function checkPort(baseUrl: string, error: Error): Promise<Check> {
  const url = new URL(baseUrl)
  const name = 'hub'
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (error instanceof ApiError) {
    return {
      name,
      status: 'fail',
      found: `something else answers at ${baseUrl}`,
      todo: 'correct --url or SLUICE_URL, or start the hub on another --port',
    }
  }
  if (!isLocal)
    return {
      name,
      status: 'fail',
      found: `nothing answers at ${baseUrl}: ${error.message}`,
      todo: 'correct --url or SLUICE_URL, or start that hub',
    }
  const port = Number(url.port || 80)
  const trouble = await tryPort(port, url.hostname.replace(/[[\]]/g, ''))
  if (trouble === undefined) return { name, status: 'ok', found: `none runs; port ${port} is free: sluice start` }
  return {
    name,
    status: 'fail',
    found: `port ${port} cannot be used: ${trouble}`,
    todo: `end what uses it, or: sluice start --port ${port + 1}`,
  }
}

function tryPort(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => resolve(error.message))
    server.listen(port, host, () => server.close(() => resolve(undefined)))
  })
}

async function checkHealth(admin: Admin): Promise<Check> {
  const name = 'health'
  try {
    const health = await admin.getHealth()
    const parts = Object.entries(health.checks).map(([part, state]) => `${part} ${state}`)
    if (health.status === 'ok') return { name, status: 'ok', found: parts.join(', ') }
    return {
      name,
      status: 'fail',
      found: parts.join(', '),
      todo: 'the log of the hub says more; a full or read-only disk is the usual cause',
    }
  } catch (error) {
    return { name, status: 'fail', found: toReason(error), todo: 'see the log of the hub' }
  }
}

function checkClock(hubMs: number): Check {
  const name = 'clock'
  const skew = Math.abs(Date.now() - hubMs)
  if (Number.isNaN(hubMs)) return { name, status: 'warn', found: 'the hub does not say what time it is' }
  if (skew < skewMs) return { name, status: 'ok', found: 'agrees with the hub' }
  return {
    name,
    status: 'warn',
    found: `differs from the hub's by ${Math.round(skew / 1000)} s`,
    todo: 'set both by NTP',
  }
}

async function checkKey(admin: Admin, apiKey: string | undefined): Promise<Check> {
  const name = 'key'
  if (apiKey === undefined) {
    return {
      name,
      status: 'warn',
      found: 'none is set',
      todo: 'set SLUICE_API_KEY; make a key with: sluice keys create --user-id YOU',
    }
  }
  try {
    await admin.listInboxes({ limit: 1 })
    return { name, status: 'ok', found: 'accepted' }
  } catch (error) {
    // A publisher's key may not look at inboxes, and is good for what it is for.
    if (error instanceof ApiError && error.errorCode === 'forbidden')
      return { name, status: 'ok', found: 'accepted; it may not read inboxes' }
    return {
      name,
      status: 'fail',
      found: toReason(error),
      todo: 'make a new one with: sluice keys create --user-id YOU',
    }
  }
}
