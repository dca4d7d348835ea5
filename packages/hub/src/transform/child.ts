import { Socket as UdpSocket } from 'node:dgram'
import { Server, Socket } from 'node:net'
import { readLines } from '../runner/read-lines.ts'
import { applyMapping, checkMapping } from './expressions.ts'
import { lineBytes, type FromTransform, type ToTransform } from './messages.ts'

/** The process in which expressions run: one mapping at a time, and no more of the world than its event. */

// What one expression does to an object, no later one meets. Not frozen: nobody could then make an object with a member of its own
// that has the name of an inherited one.
Reflect.deleteProperty(Object.prototype, '__proto__')
for (const { prototype } of [Object, Array, Function, String, Number, Boolean, RegExp, Date, Promise, Map, Set, Error])
  void Object.preventExtensions(prototype)

// The permission model knows files and processes, but no sockets.
const refuse = (): never => {
  throw new Error('expressions have no network')
}
Socket.prototype.connect = refuse
Server.prototype.listen = refuse
for (const verb of ['bind', 'connect', 'send'] as const) UdpSocket.prototype[verb] = refuse

const say = (answer: FromTransform): void => void process.stdout.write(`${JSON.stringify(answer)}\n`)

async function serve(order: ToTransform): Promise<FromTransform> {
  if (order.kind === 'check') return { kind: 'checked', faults: checkMapping(order.mapping) }
  const made = await applyMapping(order.mapping, JSON.parse(order.event))
  if ('fault' in made) return { kind: 'fault', fault: made.fault }
  const { value = null } = made
  if (Buffer.byteLength(JSON.stringify(value)) <= order.maxBytes) return { kind: 'made', value }
  return { kind: 'fault', fault: { pointer: '', detail: `gives more than ${order.maxBytes} bytes` } }
}

// The hub is gone, perhaps killed: nobody is left who could end this process.
process.stdin.on('end', () => process.exit(0))
readLines(process.stdin, {
  maxBytes: lineBytes,
  onTooLong: () => process.exit(1),
  onLine: (line) => {
    const order = JSON.parse(line) as ToTransform // written by `process.ts`
    void serve(order).then(say, (error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error)
      say({ kind: 'fault', fault: { pointer: '', detail } })
    })
  },
})
say({ kind: 'ready' })
