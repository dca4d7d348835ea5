import { Socket } from 'node:net'
import { createGuardedConnect } from '@sluice/sdk/outbound'
import { loadFolder } from '@sluice/sdk/folder'
import { createContext, type Integration, type Logger } from '@sluice/sdk/integration'
import type { ChildSetup, FromChild, ToChild } from './messages.ts'
import type { Envelope } from './runner.ts'

/** The process in which handlers run: one run at a time. It knows nothing of the hub but what an order says. */
const send = (message: FromChild): void => void process.send?.(message)
const setup = JSON.parse(process.argv[2] ?? '') as ChildSetup // written by `process-pool.ts`

// oxlint-disable-next-line typescript/unbound-method -- it is called with the socket as `this`
const { connect } = Socket.prototype
// Every socket, whoever opens it: handlers may bring a client of their own.
Socket.prototype.connect = createGuardedConnect(connect, setup)

const print = (level: string) => (fields: Record<string, unknown>, message: string) =>
  void process.stdout.write(`${level} ${message} ${JSON.stringify(fields)}\n`)
const logger: Logger = { debug: print('debug'), info: print('info'), warn: print('warn'), error: print('error') }

const integration = await loadFolder(setup.folder)
process.on('message', (message: ToChild) => {
  void run(integration, message).then((envelope) => send({ kind: 'done', id: message.id, envelope }))
})
send({ kind: 'ready' })

function run(loaded: Integration, { order }: ToChild): Promise<Envelope> {
  const { call, auth, metadata } = order
  const context = createContext({ auth, metadata, logger, hosts: loaded.config.hosts })
  if (call.kind === 'action') return loaded.executeAction(call.name, call.inputs, context)
  if (call.kind === 'poll') return loaded.executePollingTrigger(call.name, call.inputs, context, call.place)
  return loaded.getConnectedAccount(context)
}
