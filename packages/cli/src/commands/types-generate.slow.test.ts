import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const root = new URL('../../../../', import.meta.url).pathname
const sluice = join(root, 'packages/cli/bin/sluice.js')
const folder = mkdtempSync(join(tmpdir(), 'sluice-types-'))
after(() => rmSync(folder, { recursive: true }))

const definitions = {
  DefaultCategory: 'crm',
  Topics: [
    {
      Action: 'Created',
      Entity: 'MyEntity',
      Description: 'Was made. */ "quoted"\nover two lines ${x}',
      Schema: {
        type: 'object',
        required: ['id'],
        properties: { id: { type: 'string' }, kind: { enum: ['a', 'b'] }, at: { type: 'string', format: 'date-time' } },
      },
    },
    { Action: 'PaidBack', Entity: 'Loan', Category: 'third_party', Schema: { type: 'object' } },
    { Action: 'Back', Entity: 'LoanPaid', Category: 'third-party', Schema: { type: 'object' } },
  ],
}

/** A program beside what was generated, with the compiler options of strict projects. */
function compile(program: string): string {
  writeFileSync(join(folder, 'program.ts'), program)
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  // Declares a file of undici that has no types of its own.
  const include = ['program.ts', join(root, 'packages/client/src/transport/*.d.ts')]
  const base = {
    extends: join(root, 'tsconfig.json'),
    include,
    compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(base))
  const ran = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
    encoding: 'utf8',
  })
  return ran.stdout
}

test('what is generated compiles, runs, and carries the types of the data', () => {
  writeFileSync(join(folder, 'topics.json'), JSON.stringify(definitions))
  const args = [sluice, 'types', 'generate', 'topics.json', '--out', 'topics.ts']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  assert.deepEqual([status, stdout, stderr], [0, '3 topics written to topics.ts\n', ''])
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const program = `
    import { withTopics } from '@sluice/client/topics'
    import { topics, type MyEntityCreated, type ThirdPartyLoanPaidBack, type ThirdPartyLoanPaidBack2 } from './topics.ts'
    const data: MyEntityCreated = { id: '1', kind: 'a' }
    const others: [ThirdPartyLoanPaidBack, ThirdPartyLoanPaidBack2] = [{}, {}]
    const session = withTopics(null, topics, { service: 'tests' }).serviceSession()
    session.createdMyEntity(data)
    session.in('third_party').loanPaidBack(others[0])
    console.log(session.events.map((event) => event.event_type).join())
  `
  assert.equal(compile(program), '')
  const ran = spawnSync(process.execPath, [join(folder, 'program.ts')], { encoding: 'utf8' })
  assert.deepEqual([ran.stdout, ran.stderr], ['crm.MyEntityCreated,third_party.LoanPaidBack\n', ''])
  assert.match(compile(program.replace("id: '1'", 'id: 1')), /program\.ts\(4,\d+\): error TS2322/)
})
