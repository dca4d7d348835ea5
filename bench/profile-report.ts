import { basename } from 'node:path'
import { toText } from './figure.ts'

type Frame = { readonly functionName: string; readonly url: string; readonly lineNumber: number }
type ProfileNode = { readonly id: number; readonly callFrame: Frame; readonly children?: readonly number[] }

/** A CPU profile as V8 writes it. `samples` and `timeDeltas` in µs, one beside the other. */
export type Profile = {
  readonly nodes: readonly ProfileNode[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export const sampleMicros = 200
/** A longer gap between two samples means that the thread, or the one that samples it, was not running. */
const longestGapMicros = 4 * sampleMicros

const isIdle = (name: string): boolean => /^\((idle|root|program)\)/.test(name)

type Shown = { readonly events: number; readonly seconds: number; readonly top: number }

/** What each function of a thread costs in µs an event, itself and with all that it calls. */
export function printProfile({ nodes, samples, timeDeltas }: Profile, { events, seconds, top }: Shown): void {
  const self = new Map<number, number>()
  // Only the end counts, when the load ran: before that the hub started and warmed up.
  let left = seconds * 1e6
  for (let index = samples.length - 1; index >= 0 && left > 0; index -= 1) {
    const [id = 0, micros = 0] = [samples[index], timeDeltas[index]]
    self.set(id, (self.get(id) ?? 0) + Math.min(micros, longestGapMicros))
    left -= micros
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const selfOf = new Map<string, number>()
  const placeOf = new Map<string, number>()
  const totalOf = new Map<string, number>()
  const add = (sums: Map<string, number>, name: string, micros: number): void =>
    void sums.set(name, (sums.get(name) ?? 0) + micros)
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = toName(node.callFrame)
    const own = self.get(node.id) ?? 0
    const inner = new Set(above).add(name)
    let total = own
    for (const id of node.children ?? []) {
      const child = byId.get(id)
      if (child) total += visit(child, inner)
    }
    add(selfOf, name, own)
    if (!isIdle(name)) add(placeOf, toPlace(node.callFrame), own)
    if (!above.has(name)) add(totalOf, name, total)
    return total
  }
  const [root] = nodes
  if (root) visit(root, new Set())
  const busy = [...selfOf].reduce((sum, [name, micros]) => (isIdle(name) ? sum : sum + micros), 0)
  const places = [...placeOf]
    .toSorted((a, b) => b[1] - a[1])
    .map(([place, micros]) => `${place} ${toText(micros / events, 2)}`)
  console.log(`\na thread, busy ${toText(busy / events, 2)} µs an event: ${places.slice(0, 12).join(', ')}`)
  console.log('self, total, function')
  const ranked = [...totalOf]
    .filter(([name]) => !isIdle(name))
    .toSorted((a, b) => (selfOf.get(b[0]) ?? 0) - (selfOf.get(a[0]) ?? 0))
  for (const [name, total] of ranked.slice(0, top)) {
    console.log(
      `${toText((selfOf.get(name) ?? 0) / events, 2).padStart(9)} ${toText(total / events, 2).padStart(9)}  ${name}`,
    )
  }
}

function toName({ functionName, url, lineNumber }: Frame): string {
  if (url === '') return functionName || '(no name)'
  const file = url.startsWith('node:') ? url : (url.split('/packages/').at(-1) ?? basename(url))
  return `${functionName || '(anonymous)'} ${file}:${lineNumber + 1}`
}

/** A folder of the hub, a package, or Node itself. */
function toPlace({ functionName, url }: Frame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native'
  if (url.startsWith('node:')) return 'node'
  const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (name !== undefined) return name
  const inside = url.split('/packages/').at(-1) ?? url
  return inside.replace('/src/', '/').split('/').slice(0, -1).join('/')
}
