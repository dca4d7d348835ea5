import { AsyncLocalStorage } from 'node:async_hooks'
import { Socket as UdpSocket } from 'node:dgram'
import { createWriteStream } from 'node:fs'
import { registerHooks } from 'node:module'
import { Server, Socket } from 'node:net'
import { createDryRun, createGuardedConnect, type DryRun } from '@sluice/sdk/outbound'
import { loadFolder } from '@sluice/sdk/folder'
import { createContext, type Context, type Integration, type Logger } from '@sluice/sdk/integration'
import { createAccountWatch, type AccountWatch } from './account-watch.ts'
import { answerBytes, answersFd, type ChildSetup, type ToChild } from './messages.ts'
import { readLines } from './read-lines.ts'
import type { Envelope, RunOutcome } from './runner.ts'

/** The process in which handlers run: one run at a time. It knows nothing of the hub but what an order says. */
const setup = JSON.parse(process.argv[2] ?? '') as ChildSetup // written by `worker.ts`
const answers = createWriteStream('', { fd: answersFd })

let current: Running | undefined
/** Holds while `context.fetch` sends. */
const sending = new AsyncLocalStorage<true>()

closeDoors(setup)
useOwnSdk(setup)

const print = (level: string) => (fields: Record<string, unknown>, message: string) =>
  void process.stdout.write(`${level} ${message} ${JSON.stringify(fields)}\n`)
const logger: Logger = { debug: print('debug'), info: print('info'), warn: print('warn'), error: print('error') }

const integration = await loadFolder(setup.folder)
// The hub is gone, perhaps killed: nobody is left who could end this process.
process.stdin.on('end', () => process.exit(0))
readLines(process.stdin, { maxBytes: Infinity, onTooLong: () => {}, onLine: take })
answers.write('{"kind":"ready"}\n')

function take(line: string): void {
  const message = JSON.parse(line) as ToChild // written by `worker.ts`
  if (message.kind === 'run') current = start(integration, message)
  else if (message.id !== current?.id) return
  else if (message.kind === 'cancel') current.cancel.abort(new Error('the run was cancelled'))
  else current.watch.permit(message.number, message.retryAfter)
}

type Running = {
  readonly id: number
  readonly cancel: AbortController
  readonly watch: AccountWatch
  readonly isDry: boolean
}
type Order = Extract<ToChild, { kind: 'run' }>['order']
type Done = { readonly envelope: Envelope; readonly unauthorized?: boolean; readonly dryRun?: RunOutcome['dryRun'] }

function start(loaded: Integration, { id, order }: Extract<ToChild, { kind: 'run' }>): Running {
  const { auth, metadata, asks } = order
  const { config } = loaded
  const say = (kind: string, content: object): void =>
    void answers.write(`${JSON.stringify({ kind, id, ...content })}\n`)
  const cancel = new AbortController()
  const watch = createAccountWatch({
    credentials: toCredentials(auth),
    hosts: config.hosts,
    onAsk: asks ? (number) => say('permit', { number }) : undefined,
    onLimits: (limits) => say('limits', { limits }),
  })
  const dry = order.dryRun
    ? createDryRun(setup.folder, (request, send) => sending.run(true, () => watch.intercept(request, send)))
    : undefined
  const context = createContext({
    config,
    auth,
    metadata: { ...metadata, ...(dry && { dry_run: true }) },
    logger,
    intercept: dry?.intercept ?? watch.intercept,
    signal: cancel.signal,
    onProgress: (report) => say('progress', { report }),
  })
  // Not before this run is the current one.
  const begun = Promise.resolve().then(() => call(loaded, order, context))
  const ended = begun.then((envelope): Done => ({ envelope, dryRun: toDryRun(dry, false) }))
  const stopped = dry?.stopped.then((): Done => ({ envelope: toStopped(dry), dryRun: toDryRun(dry, true) }))
  void Promise.race([ended, ...(stopped ? [stopped] : [])]).then((done) =>
    answers.write(toLine(id, { ...done, ...(watch.isUnauthorized() && { unauthorized: true }) })),
  )
  return { id, cancel, watch, isDry: dry !== undefined }
}

const toDryRun = (dry: DryRun | undefined, stopped: boolean): RunOutcome['dryRun'] =>
  dry && { requests: dry.requests(), stopped }

function toStopped(dry: DryRun): Envelope {
  const { method, url } = dry.requests().find(({ recorded }) => !recorded) ?? { method: '', url: '' }
  const message = `the dry run ended at ${method} ${url}, for which there is no recording`
  return { version: '2.0.0', type: 'error', result: { message, cost_usd: null } }
}

function call(loaded: Integration, { call: what }: Order, context: Context): Promise<Envelope> {
  if (what.kind === 'action') return loaded.executeAction(what.name, what.inputs, context)
  if (what.kind === 'poll') return loaded.executePollingTrigger(what.name, what.inputs, context, what.place)
  return loaded.getConnectedAccount(context)
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
  const guarded = createGuardedConnect(connect, { allowCidr })
  Socket.prototype.connect = function connectDry(this: Socket, ...args: unknown[]): Socket {
    if (!current?.isDry || sending.getStore()) return Reflect.apply(guarded, this, args)
    process.nextTick(() => this.destroy(new Error('in a dry run nothing is sent but by context.fetch')))
    return this
  } as typeof connect // the same forms of arguments
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
