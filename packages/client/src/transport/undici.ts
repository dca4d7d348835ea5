// Programs that import this file read no tsconfig of ours that would include the declaration.
// oxlint-disable-next-line typescript/triple-slash-reference
/// <reference path="./undici-agent.d.ts" />
import type { Agent, Dispatcher } from 'undici'
import type { Transport, TransportRequest, TransportResponse } from '../transport.ts'
import { createArrival, type Arrival, type Failure } from './arrival.ts'
import { defaultTransport as fetchTransport } from './global-fetch.ts'

/** Whoever sends requests through a proxy by Node's own switch goes on doing so: global fetch knows how. */
const usesProxy = process.env['NODE_USE_ENV_PROXY'] === '1' || process.execArgv.includes('--use-env-proxy')

/** Connections to one hub for what is answered at once: as many as it can use, and the sockets of a burst stay few. */
const connections = 64

type Agents = {
  readonly quick: Agent
  /** each request has its own connection: it may be held for long, and must not keep others from being sent */
  readonly held: Agent
}

let agents: Agents | undefined

/** Kept connections of undici, at a fifth of what the same request through global fetch costs in Node. */
export const defaultTransport: Transport = (request) => {
  if (usesProxy) return fetchTransport(request)
  return agents ? send(agents, request) : openAgents().then((opened) => send(opened, request))
}

/** At the first request: loading it takes longer than loading the client. */
async function openAgents(): Promise<Agents> {
  // Not the index of undici, which takes three times as long and makes itself the engine of the program's global fetch.
  const { default: Agent } = await import('undici/lib/dispatcher/agent.js')
  // How long an answer may take is for the caller to say. Connections that are idle keep no program alive.
  const options = { headersTimeout: 0, bodyTimeout: 0, allowH2: false }
  agents ??= { quick: new Agent({ ...options, connections }), held: new Agent(options) }
  return agents
}

function send({ quick, held }: Agents, request: TransportRequest): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const { url, headers, body, bytes, signal } = request
    signal.throwIfAborted()
    let controller: Dispatcher.DispatchController | undefined
    const giveUp = (): void => controller?.abort(new Error('given up'))
    const arrival = createArrival(() => controller?.resume(), giveUp)
    const end = (failure?: Failure): void => {
      signal.removeEventListener('abort', onAbort)
      arrival.end(failure)
      if (failure) reject(failure.cause)
    }
    const onAbort = (): void => {
      // First, so that it holds also while there is no connection to give up yet.
      end({ cause: signal.reason })
      giveUp()
    }
    signal.addEventListener('abort', onAbort)
    const agent = request.isHeld ? held : quick
    agent.dispatch(
      { ...splitUrl(url), method: request.method, headers, body: bytes ?? body ?? null },
      {
        onRequestStart: (started) => {
          // Thrown, it leaves the connection to others; a request that is given up takes its connection with it.
          signal.throwIfAborted()
          controller = started
        },
        onResponseStart: (_, status, fields) => resolve(toResponse(status, fields, arrival)),
        onResponseData: (_, chunk) => {
          if (!arrival.add(chunk)) controller?.pause()
        },
        onResponseEnd: () => end(),
        onResponseError: (_, cause) => end({ cause }),
      },
    )
  })
}

/** Without `URL`: the address is one of our own making. */
function splitUrl(url: string): { origin: string; path: string } {
  const pathAt = url.indexOf('/', 'https://'.length)
  return { origin: url.slice(0, pathAt), path: url.slice(pathAt) }
}

type Fields = Readonly<Record<string, string | string[] | undefined>>

function toResponse(status: number, fields: Fields, arrival: Arrival): TransportResponse {
  return {
    status,
    header: (name) => fields[name]?.toString() ?? null,
    text: arrival.text,
    stream: arrival.stream,
  }
}
