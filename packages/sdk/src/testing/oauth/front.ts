import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'undici'
import { isObject, type JsonObject } from '../../integration/report.ts'
import type { Answer, Cut } from '../reply.ts'
import { encodeAnswer } from '../vendor.ts'

/** What happens to one request for tokens, in this order; without any of it the provider simply acts and answers. */
export type TokenStep = {
  /** waited for before the provider acts */
  readonly before?: Promise<unknown>
  /** happens instead: the provider never sees the request */
  readonly instead?: Answer | Cut
  /** waited for when the provider has acted, before it answers */
  readonly after?: Promise<unknown>
  /** its answer, changed */
  readonly change?: (body: JsonObject) => JsonObject
  /** the connection ends although the provider has acted */
  readonly loses?: boolean
}

/** A request for tokens as the provider got it. */
export type TokenRequest = {
  readonly grantType: string
  /** the whole form, secrets included */
  readonly params: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
  /** whether the provider acted; a refusal is none */
  acted: boolean
  /** what the provider said, or was said instead; undefined until then */
  status: number | undefined
}

/** A request that a step waits for. */
export type ComingRequest = {
  /** when its request has come */
  readonly reached: Promise<TokenRequest>
  /** when the provider has acted on it, or something happened instead */
  readonly acted: Promise<TokenRequest>
}

type Queued = {
  readonly step: TokenStep
  readonly reached: PromiseWithResolvers<TokenRequest>
  readonly acted: PromiseWithResolvers<TokenRequest>
}

/** Stands before the token endpoint: logs what comes, and lets happen to it what a test wants. */
export type TokenFront = {
  readonly requests: readonly TokenRequest[]
  readonly next: (step: TokenStep) => ComingRequest
  readonly serve: (incoming: IncomingMessage, response: ServerResponse) => Promise<void>
}

export type FrontOptions = {
  /** of the provider behind */
  readonly innerTokenUrl: string
  /** what is done to every answer that grants */
  readonly rewrite: (body: JsonObject) => Promise<JsonObject>
}

export function createTokenFront({ innerTokenUrl, rewrite }: FrontOptions): TokenFront {
  const requests: TokenRequest[] = []
  const queue: Queued[] = []
  return {
    requests,
    next: (step) => {
      const queued: Queued = { step, reached: Promise.withResolvers(), acted: Promise.withResolvers() }
      queue.push(queued)
      return { reached: queued.reached.promise, acted: queued.acted.promise }
    },
    serve: async (incoming, response) => {
      const { step = {}, reached, acted } = queue.shift() ?? {}
      const form = await readForm(incoming)
      const params = Object.fromEntries(new URLSearchParams(form))
      const noted: TokenRequest = {
        grantType: params['grant_type'] ?? '',
        params,
        headers: incoming.headers,
        acted: false,
        status: undefined,
      }
      requests.push(noted)
      reached?.resolve(noted)
      await step.before
      const answer = step.instead ?? (await act(innerTokenUrl, noted, form))
      noted.acted = !step.instead && noted.status === 200
      acted?.resolve(noted)
      await step.after
      if ('cut' in answer || step.loses) return void response.destroy()
      noted.status = answer.status ?? 200
      if (!noted.acted || !isObject(answer.json)) return reply(response, answer)
      const body = await rewrite(answer.json)
      return reply(response, { ...answer, json: step.change ? step.change(body) : body })
    },
  }
}

async function readForm(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part as Buffer) // no encoding was set
  return Buffer.concat(parts).toString()
}

/** The provider behind sees the request as it came, for the host that it was sent to. */
async function act(inner: string, noted: TokenRequest, form: string): Promise<Answer> {
  const { host, authorization } = noted.headers
  const answer = await request(inner, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(host !== undefined && { host }),
      ...(authorization !== undefined && { authorization }),
    },
    body: form,
  })
  noted.status = answer.statusCode
  return { status: answer.statusCode, json: await answer.body.json() }
}

function reply(response: ServerResponse, answer: Answer): void {
  const { head, body } = encodeAnswer(answer)
  response.writeHead(answer.status ?? 200, { 'cache-control': 'no-store', ...head }).end(body)
}
