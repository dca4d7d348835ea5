import type { Transport, TransportRequest, TransportResponse } from '../transport.ts'

/** What becomes of a request: `pass` sends it to where it was meant to go. `n` counts from 1. */
export type Handle = (n: number, pass: () => Promise<TransportResponse>) => Promise<TransportResponse>

/** For tests: a transport that goes to the real hub, can be told what happens to each request, and remembers them. */
export function createWatched(handle: Handle = (_, pass) => pass()) {
  const bodies: string[] = []
  const requests: TransportRequest[] = []
  const transport: Transport = (request) => {
    requests.push(request)
    return handle(bodies.push(request.body ?? ''), () => pass(request))
  }
  /** the events of request n, from 0 */
  const lines = (n: number): Record<string, unknown>[] =>
    (bodies[n] ?? '')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  return { transport, requests, bodies, lines }
}

async function pass({ method, url, headers, body = '' }: TransportRequest): Promise<TransportResponse> {
  const answer = await fetch(url, { method, headers: { ...headers }, body })
  const text = await answer.text()
  return {
    status: answer.status,
    header: (name) => answer.headers.get(name),
    text: async () => text,
    stream: () => null,
  }
}
