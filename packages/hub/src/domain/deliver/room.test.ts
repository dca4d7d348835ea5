import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRoom } from './room.ts'

type Who = { readonly workspaceId: number; readonly name: string }

function open(size: number) {
  const called: string[] = []
  return { called, room: createRoom<Who>(size, ({ name }) => called.push(name)) }
}

const [hot, other, cold] = [
  { workspaceId: 1, name: 'hot' },
  { workspaceId: 1, name: 'other' },
  { workspaceId: 2, name: 'cold' },
]

test('a workspace has half of the places at most, by whichever of its inboxes', () => {
  const { room, called } = open(8)
  assert.deepEqual([room.take(hot, 3), room.take(other, 3), room.take(other, 3)], [3, 1, 0])
  assert.deepEqual([room.take(cold, 9), room.take(cold, 1)], [4, 0])
  room.give(hot, 1)
  assert.deepEqual(called, ['other'])
  assert.equal(room.take(other, 3), 1)
})

test('who asks often stands in the line once', () => {
  const { room, called } = open(2)
  room.take(hot, 1)
  room.take(cold, 1)
  for (let looks = 0; looks < 1000; looks += 1) room.take(hot, 1)
  room.take(cold, 1)
  room.give(hot, 1)
  room.give(cold, 1)
  assert.deepEqual(called, ['hot', 'cold'])
})

test('the workspace with the fewest places is called first', () => {
  const { room, called } = open(4)
  const [one, two, three] = [1, 2, 3].map((workspaceId) => ({ workspaceId, name: `inbox of ${workspaceId}` }))
  assert.ok(one && two && three)
  for (const who of [one, two]) room.take(who, 2)
  for (const who of [one, two, three]) room.take(who, 1)
  room.give(one, 1)
  assert.deepEqual(called, ['inbox of 3'])
})

test('a call that was not taken up is not the last', () => {
  const { room, called } = open(4)
  room.take(hot, 2)
  for (const who of [hot, other]) room.take(who, 1)
  room.give(hot, 1)
  room.give(hot, 1)
  assert.deepEqual(called, ['hot', 'other'])
})
