import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { JSONRPCMessage, JSONRPCRequest } from '@modelcontextprotocol/sdk/types.js'

/** One request and what is said to it: notes on its progress, then the answer. */
export type Conversation = {
  readonly transport: Transport
  /** Waits for the next message: undefined after the last one, `idle` when nothing came for so long. */
  readonly next: (idleMs: number) => Promise<JSONRPCMessage | 'idle' | undefined>
}

/**
 * A transport for the SDK's server that lives as long as one request.
 *
 * @param onEnd called with the last message, or when it is closed before
 */
export function createConversation(request: JSONRPCRequest, onEnd: () => void): Conversation {
  const waiting: JSONRPCMessage[] = []
  let isOver = false
  let wake = (): void => {}
  const end = (): void => {
    isOver = true
    onEnd()
    wake()
  }
  const transport: Transport = {
    start: async () => {},
    send: async (message) => {
      if (isOver) return
      waiting.push(message)
      if ('id' in message && message.id === request.id && !('method' in message)) end()
      else wake()
    },
    close: async () => {
      end()
      transport.onclose?.()
    },
  }
  const next: Conversation['next'] = async (idleMs) => {
    if (waiting.length === 0 && !isOver) await sleep(idleMs, (resolve) => (wake = resolve))
    return waiting.shift() ?? (isOver ? undefined : 'idle')
  }
  return { transport, next }
}

async function sleep(ms: number, onWake: (resolve: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  onWake(resolve)
  await promise
  clearTimeout(timer)
}
