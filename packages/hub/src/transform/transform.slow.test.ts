import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { openTransform } from './transform.ts'

const transform = openTransform()
after(() => transform.close())

const event = {
  event_type: 'order.created',
  subject: 'o-1',
  payload: {
    total: 12.5,
    items: [
      { sku: 'a', n: 2 },
      { sku: 'b', n: 1 },
    ],
  },
}
const apply = (mapping: unknown, given: unknown = event) => transform.apply('1', mapping, JSON.stringify(given))

async function valueOf(mapping: unknown): Promise<unknown> {
  const made = await apply(mapping)
  return 'value' in made ? made.value : assert.fail(JSON.stringify(made))
}

async function faultOf(mapping: unknown, given?: unknown) {
  const made = await apply(mapping, given)
  return 'fault' in made ? made : assert.fail(JSON.stringify(made))
}

test('texts that begin with = are expressions over the event, the rest is what it is', async () => {
  const mapping = {
    channel: '#orders',
    text: "='Order ' & subject & ' of ' & payload.total",
    note: '==sum',
    list: ['=payload.items[0].sku', 7, null, '=payload.nothing'],
    left_out: '=payload.nothing',
    deep: { 'a/b': { '~': '=payload.total * 2' } },
  }
  assert.deepEqual(await valueOf(mapping), {
    channel: '#orders',
    text: 'Order o-1 of 12.5',
    note: '=sum',
    list: ['a', 7, null, null],
    deep: { 'a/b': { '~': 25 } },
  })
})

test('one expression makes the whole', async () => {
  assert.deepEqual(await valueOf('={ "skus": payload.items.sku, "sum": $sum(payload.items.n) }'), {
    skus: ['a', 'b'],
    sum: 3,
  })
  assert.equal(await valueOf('=payload.nothing'), null)
})

test('every fault of syntax is named by its pointer', async () => {
  const faults = await transform.check('1', {
    good: '=payload.a',
    bad: '=payload.(',
    deep: [{ 'a/b': '=$x :=' }],
    text: '(',
  })
  assert.deepEqual(
    faults.map(({ pointer }) => pointer),
    ['/bad', '/deep/0/a~1b'],
  )
  for (const { detail } of faults) assert.match(detail, /at character \d+/)
  assert.deepEqual(await transform.check('1', '=payload'), [])
})

test('an expression that fails says where and why', async () => {
  const { fault, limit } = await faultOf({ text: '=payload.total & $number("x")' })
  assert.equal(fault.pointer, '/text')
  assert.match(fault.detail, /number/i)
  assert.equal(limit, false)
  assert.match((await faultOf({ f: '=function($x){$x}' })).fault.detail, /function/)
})

const endless: readonly (readonly [string, string])[] = [
  ['recursion that never ends', '=($f := function($n){ $f($n + 1) }; $f(0))'],
  ['recursion that goes too deep', '=($f := function($n){ 1 + $f($n + 1) }; $f(0))'],
  ['a pattern that backtracks for ever', '=$match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", /^(a+)+$/)'],
  ['a list that grows for ever', '=($f := function($l){ $f($append($l, [1..1000])) }; $f([]))'],
  ['a text that grows for ever', '=($f := function($t){ $f($t & $t) }; $f("0123456789"))'],
  ['a text that fills the heap at once', '=$base64encode($pad("a",100000000))'],
  ['a text that a pattern makes many of', '=$replace($pad("a",60000000),/a/,"b")'],
]
for (const [what, mapping] of endless) {
  test(`${what} ends, and others go on`, async () => {
    const [{ fault }, behind, value] = await Promise.all([
      faultOf(mapping),
      apply('=payload.total'),
      transform.apply('2', '=payload.total', JSON.stringify(event)),
    ])
    assert.notEqual(fault.detail, '')
    assert.deepEqual([behind, value], [{ value: 12.5 }, { value: 12.5 }])
  })
}

test('what takes too much memory may be tried again', async () => {
  assert.equal((await faultOf('=$base64encode($pad("a",100000000))')).limit, true)
})

test('an event may have any character', async () => {
  const text = '\u2028\u2029\u0085\r\n\0\ud800'
  assert.deepEqual(await apply('=payload', { payload: text }), { value: text })
  assert.deepEqual(await transform.apply('1', '=a', '{\n"a":\r\n1}'), { value: 1 })
})

test('what is made has a size that it may have', async () => {
  assert.match((await faultOf('=$join([1..60000].("12345"))')).fault.detail, /more than 262144 bytes/)
})

test('no expression reaches what another one uses', async () => {
  const attempts = [
    '=$ ~> |__proto__|{"polluted": 1}|',
    '=$ ~> |payload.constructor.prototype|{"polluted": 1}|',
    '=$merge([{"__proto__": {"polluted": 1}}, $])',
    '=payload.constructor.constructor("return process")()',
    '=$spread($).__proto__.polluted := 1',
    '=$lookup($, "__proto__") ~> |$|{"polluted": 1}|',
    '=$string.constructor',
  ]
  const planted: unknown = JSON.parse(
    '{"payload": {"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}}',
  )
  for (const mapping of attempts) {
    await apply(mapping)
    await apply(mapping, planted)
    assert.deepEqual(await valueOf({ a: '=payload.polluted', b: '={}.polluted', c: '=$keys({})' }), {}, mapping)
  }
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  const made = await apply({ '=': 1, ...(JSON.parse('{"__proto__": "=payload.total"}') as object) })
  assert.deepEqual(made, { value: JSON.parse('{"=": 1, "__proto__": 12.5}') })
})
