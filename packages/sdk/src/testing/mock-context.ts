import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Agent, type Dispatcher } from 'undici'
import { createContext, type Context, type ContextOptions } from '../integration/context.ts'
import { isObject } from '../integration/report.ts'
import { createPlayer, createRecorder } from './cassette.ts'
import { createClock, type Clock } from './clock.ts'
import type { Vendor } from './vendor.ts'

export type MockContextOptions = Omit<ContextOptions, 'dispatcher' | 'nowMs' | 'sleep' | 'random'> & {
  /** answers every request; without it a cassette does, and without that they are refused */
  readonly vendor?: Vendor | undefined
  /** name of the cassette, `cassettes/NAME.json` beside the test; default that of the test file. A path is taken as it is */
  readonly cassette?: string | undefined
  /** default a new one */
  readonly clock?: Clock | undefined
}

/** A context whose time passes by itself: what waits between attempts waits not at all. */
export type MockContext = Context & { readonly clock: Clock }

/**
 * The context of a test: it reaches no network. Requests go to `vendor`, whatever host they are for; or they are answered from a
 * cassette, which `sluice integrations test FOLDER --record --auth …` writes with the real service and real credentials.
 *
 * @example const context = mockContext({ vendor, auth: { api_key: 'k' }, metadata: { run: 7 } })
 */
export function mockContext(options: MockContextOptions = {}): MockContext {
  const { vendor, cassette, clock = createClock(), ...rest } = options
  const isRecording = !vendor && process.env['SLUICE_CASSETTES'] === 'record'
  const auth = (isRecording ? recordingAuth() : undefined) ?? rest.auth
  const context = createContext({
    ...rest,
    auth,
    dispatcher: vendor?.dispatcher ?? cassetteDispatcher(toFile(cassette), { isRecording, auth }),
    random: () => 1,
    // A real service that asks for patience is given it.
    ...(!isRecording && { nowMs: clock.nowMs, sleep: clock.sleep }),
  })
  return { ...context, clock }
}

/** The credentials for the real service, given to the command that records. */
function recordingAuth(): Record<string, unknown> | undefined {
  const text = process.env['SLUICE_TEST_AUTH']
  const auth: unknown = text === undefined ? undefined : JSON.parse(text)
  return isObject(auth) ? auth : undefined
}

function toFile(name: string | undefined): string {
  const test = process.argv[1] ?? 'test'
  const file = `${name ?? basename(test).replace(/(\.test)?\.[cm]?[jt]s$/, '')}.json`
  return resolve(dirname(test), 'cassettes', file)
}

type Recording = { readonly isRecording: boolean; readonly auth: Readonly<Record<string, unknown>> | undefined }

function cassetteDispatcher(file: string, { isRecording, auth = {} }: Recording): Dispatcher {
  // The type of the credentials is no secret.
  const { auth_type: _, ...flat } = auth
  const credentials = isObject(auth['credentials']) ? auth['credentials'] : flat
  if (isRecording) return createRecorder({ file, credentials })
  if (existsSync(file) || process.env['SLUICE_CASSETTES'] === 'replay') return createPlayer({ file, credentials })
  const refusal = new TypeError(
    'a test reaches no network: give mockContext a vendor (createVendor), or record a cassette with sluice integrations test --record',
  )
  return new Agent({ connect: (_, callback) => callback(refusal, null) })
}
