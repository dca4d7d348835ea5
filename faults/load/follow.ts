import { setTimeout as sleep } from 'node:timers/promises'
import type { Follower } from './ledger.ts'
import type { Target } from './request.ts'

/**
 * Follows the log through the stream of an inbox until the signal, and notes each id as it comes. A connection that breaks
 * goes on at the next hub from the last frame that has come, as a browser does.
 *
 * @param targets hubs with one store
 */
export async function follow(targets: readonly Target[], follower: Follower, signal: AbortSignal): Promise<void> {
  for (let turn = 0; !signal.aborted; turn += 1) {
    const target = targets[turn % targets.length]
    if (target === undefined) throw new Error('there is no hub to follow')
    // What breaks is a fault of the connection; what did not come is found in the end.
    await readStream(target, follower, signal).catch(() => undefined)
    if (!signal.aborted) await sleep(20)
  }
}

/** Follows until it has seen the event, or for so long. */
export async function followTo(target: Target, follower: Follower, last: string, timeoutMs: number): Promise<void> {
  const over = new AbortController()
  const endMs = Date.now() + timeoutMs
  const following = follow([target], follower, over.signal)
  while (!follower.ids.includes(last) && Date.now() < endMs) await sleep(50)
  over.abort()
  await following
}

async function readStream(target: Target, follower: Follower, signal: AbortSignal): Promise<void> {
  const url = new URL(`/v1/inboxes/${follower.inbox}/stream?from=earliest`, target.url)
  const from = follower.cursor === undefined ? {} : { 'last-event-id': follower.cursor }
  const response = await fetch(url, { headers: { authorization: `Bearer ${target.apiKey}`, ...from }, signal })
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel()
    return
  }
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const frames = (text + chunk).split('\n\n')
    text = frames.pop() ?? ''
    for (const frame of frames) noteFrame(follower, frame)
  }
}

function noteFrame(follower: Follower, frame: string): void {
  const fields = new Map(
    frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
  )
  const cursor = fields.get('id')
  if (cursor === undefined) return
  const data = fields.get('data')
  if (data !== undefined) follower.ids.push((JSON.parse(data) as { event_id: string }).event_id)
  follower.cursor = cursor
}
