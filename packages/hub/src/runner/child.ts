import { Socket as UdpSocket } from 'node:dgram'
import { createWriteStream } from 'node:fs'
import { registerHooks } from 'node:module'
import { Server, Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { createAccountTest, createGuardedConnect, type Intercept } from '@sluice/sdk/outbound'
import { loadFolder } from '@sluice/sdk/folder'
import {
  createContext,
  type Context,
  type ContextOptions,
  type Integration,
  type Logger,
  type ProgressReport,
} from '@sluice/sdk/integration'
import { answerBytes, answersFd, type ChildSetup, type ToChild } from './messages.ts'
import type { Envelope } from './runner.ts'

/** The process in which handlers run: one run at a time. It knows nothing of the hub but what an order says. */
const setup = JSON.parse(process.argv[2] ?? '') as ChildSetup // written by `worker.ts`
const answers = createWriteStream('', { fd: answersFd })
const orders = createInterface({ input: process.stdin })

closeDoors(setup)
useOwnSdk(setup)

const print = (level: string) => (fields: Record<string, unknown>, message: string) =>
  void process.stdout.write(`${level} ${message} ${JSON.stringify(fields)}\n`)
const logger: Logger = { debug: print('debug'), info: print('info'), warn: print('warn'), error: print('error') }

const integration = await loadFolder(setup.folder)
let current: { readonly id: number; readonly cancel: AbortController } | undefined
// The hub is gone, perhaps killed: nobody is left who could end this process.
orders.on('close', () => process.exit(0))
orders.on('line', (line) => {
  const message = JSON.parse(line) as ToChild // written by `worker.ts`
  const { id } = message
  if (message.kind === 'cancel') {
    if (current?.id === id) current.cancel.abort(new Error('the run was cancelled'))
    return
  }
  current = { id, cancel: new AbortController() }
  const onProgress = (report: ProgressReport): void =>
    void answers.write(`${JSON.stringify({ kind: 'progress', id, report })}\n`)
  const told = { signal: current.cancel.signal, onProgress }
  void run(integration, message.order, told).then((done) => answers.write(toLine(id, done)))
})
answers.write('{"kind":"ready"}\n')

type Order = Extract<ToChild, { kind: 'run' }>['order']
type Told = Pick<ContextOptions, 'signal' | 'onProgress'>
type Done = { readonly envelope: Envelope; readonly unauthorized?: boolean }

async function run(loaded: Integration, order: Order, told: Told): Promise<Done> {
  const { auth, metadata } = order
  const { config } = loaded
  const watch = createWatch(config, auth)
  const { intercept } = watch
  const context = createContext({ ...told, config, auth, metadata, logger, intercept })
  const envelope = await call(loaded, order, context)
  return { envelope, ...(watch.isUnauthorized() && { unauthorized: true }) }
}

function call(loaded: Integration, { call: what }: Order, context: Context): Promise<Envelope> {
  if (what.kind === 'action') return loaded.executeAction(what.name, what.inputs, context)
  if (what.kind === 'poll') return loaded.executePollingTrigger(what.name, what.inputs, context, what.place)
  return loaded.getConnectedAccount(context)
}

type Watch = { readonly intercept: Intercept; readonly isUnauthorized: () => boolean }

/** Looks at the answers to requests that are made with the account. */
function createWatch({ hosts }: Integration['config'], auth: Order['auth']): Watch {
  const isOfAccount = createAccountTest({ credentials: toCredentials(auth), hosts })
  let unauthorized = false
  const intercept: Intercept = async (request, send) => {
    const answer = await send()
    if (answer.status === 401 && isOfAccount(request)) unauthorized = true
    return answer
  }
  return { intercept, isUnauthorized: () => unauthorized }
}

/** The hub gives them wrapped. */
const toCredentials = ({ credentials }: Order['auth']): Readonly<Record<string, unknown>> =>
  typeof credentials === 'object' && credentials !== null ? { ...credentials } : {}

/** A result that cannot be written, or is too long to be taken, is an error of the run. */
function toLine(id: number, done: Done): string {
  try {
    const line = `${JSON.stringify({ kind: 'done', id, ...done })}\n`
    if (Buffer.byteLength(line) <= answerBytes) return line
    return toErrorLine(id, `the result has more than ${answerBytes} bytes as JSON`)
  } catch (error) {
    return toErrorLine(
      id,
      `the result cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

const toErrorLine = (id: number, message: string): string =>
  `${JSON.stringify({ kind: 'done', id, envelope: { version: '2.0.0', type: 'error', result: { message, cost_usd: null } } })}\n`

/**
 * What the permission model leaves open: sockets to private addresses, datagrams, listening, and signals to other processes, the
 * hub among them. It keeps mistakes in; whoever writes handlers to break out is not stopped by JavaScript.
 */
function closeDoors({ allowCidr }: ChildSetup): void {
  // oxlint-disable-next-line typescript/unbound-method -- it is called with the socket as `this`
  const { connect } = Socket.prototype
  Socket.prototype.connect = createGuardedConnect(connect, { allowCidr })
  const refuse = (what: string) => (): never => {
    throw new Error(`handlers may not ${what}`)
  }
  Server.prototype.listen = refuse('listen for connections')
  for (const verb of ['bind', 'connect', 'send', 'addMembership'] as const)
    UdpSocket.prototype[verb] = refuse('use datagrams')
  for (const name of ['kill', '_kill', '_debugProcess', '_debugEnd', 'abort', 'binding', '_linkedBinding', 'dlopen'])
    Object.defineProperty(process, name, { value: refuse(`use process.${name}`), configurable: false, writable: false })
  Object.defineProperty(process, 'ppid', { value: 0, configurable: false })
}

/** Handlers find the SDK wherever their folder is. */
function useOwnSdk({ sdk }: ChildSetup): void {
  registerHooks({
    resolve: (specifier, context, next) => {
      const url = sdk[specifier]
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true }
    },
  })
}
