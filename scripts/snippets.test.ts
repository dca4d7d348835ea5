import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toSnippets } from './snippets.ts'

test('takes runnable blocks with their line, leaves out those only shown', () => {
  const page = ['# Page', '', '```sh', 'echo 1', 'echo 2', '```', '```json', '{}', '```', '~~~ts', 'x()', '~~~'].join(
    '\n',
  )
  assert.deepEqual(toSnippets(page), {
    snippets: [
      { language: 'sh', code: 'echo 1\necho 2\n', line: 3 },
      { language: 'ts', code: 'x()\n', line: 10 },
    ],
    faults: [],
  })
})

test('a block in a list loses its indent, and a longer fence may hold a shorter one', () => {
  const page = [
    '1. do',
    '   ```python',
    '   if x:',
    '       y()',
    '   ```',
    '````text',
    '```sh',
    'rm',
    '```',
    '````',
  ].join('\n')
  assert.deepEqual(toSnippets(page).snippets, [{ language: 'python', code: 'if x:\n    y()\n', line: 2 }])
})

test('a block without a known language, and one that never ends, are faults', () => {
  assert.deepEqual(
    toSnippets('```\nx\n```\n```bash\ny\n```\n```sh\n').faults.map((fault) => fault.line),
    [1, 4, 7],
  )
})
