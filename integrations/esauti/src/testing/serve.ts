import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type SeenRequest = {
  readonly method: string
  /** with its query */
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export type Reply = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** an object is printed as JSON, text and bytes go as they are */
  readonly body?: object | string | Uint8Array
}

/** What a request meets instead of its answer: this reply, a broken connection, or silence. */
export type Turn = Reply | 'reset' | 'hang'

export type Served = {
  readonly url: string
  close(): Promise<void>
}

/** @param answer is asked for each request whose turn it is not to fail */
export async function serve(port: number, answer: (request: SeenRequest) => Turn | Promise<Turn>): Promise<Served> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array))
    const { method = 'GET', url = '/', headers } = request
    const turn = await answer({ method, target: url, headers, body: Buffer.concat(chunks) })
    if (turn === 'reset') request.socket.destroy()
    else if (turn !== 'hang') write(response, turn)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const { port: taken } = server.address() as AddressInfo // it listens on a port
  return {
    url: `http://127.0.0.1:${taken}`,
    close: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}

function write(response: ServerResponse, { status, headers, body = '' }: Reply): void {
  const isText = typeof body === 'string' || body instanceof Uint8Array
  response.writeHead(status, { 'Mautic-Version': '6.0.3', 'Content-Type': 'application/json', ...headers })
  response.end(isText ? body : JSON.stringify(body))
}
