import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { request } from 'undici'
import { AddressRefusedError, createOutbound, type OutboundOptions } from './outbound.ts'

const seen: string[] = []
const server = createServer((incoming, answer) => {
  seen.push(incoming.url ?? '')
  answer.end('reached')
})
let port = 0

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
after(() => server.close())

async function reach(url: string, options: OutboundOptions = {}): Promise<string> {
  const outbound = createOutbound(options)
  try {
    const { body } = await request(url, { dispatcher: outbound.dispatcher })
    return await body.text()
  } finally {
    await outbound.close()
  }
}

/** A name server of a test: each look-up gets the next answer. */
function answers(...addresses: string[]): NonNullable<OutboundOptions['resolve']> {
  return (_, __, callback) => {
    const address = addresses.length > 1 ? addresses.shift() : addresses[0]
    callback(null, [{ address: address ?? '', family: address?.includes(':') ? 6 : 4 }])
  }
}

test('addresses of this machine are refused in every form, and nothing is sent', async () => {
  for (const host of [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '0.0.0.0',
    '[::]',
    'localhost',
  ])
    await assert.rejects(reach(`http://${host}:${port}/`), AddressRefusedError, host)
  assert.deepEqual(seen, [])
})

test('the refusal says what, where, why, and what to do', async () => {
  await assert.rejects(reach('http://internal.example/', { resolve: answers('10.1.2.3') }), {
    name: 'AddressRefusedError',
    message: /internal\.example is at 10\.1\.2\.3, which is not reachable.*private network.*--allow-cidr/,
  })
})

test('an allowed network is reached', async () => {
  assert.equal(await reach(`http://127.0.0.1:${port}/ok`, { allowCidr: ['127.0.0.0/8'] }), 'reached')
  assert.equal(
    await reach(`http://service.example:${port}/ok`, { allowCidr: ['127.0.0.0/8'], resolve: answers('127.0.0.1') }),
    'reached',
  )
})

test('a name that is public when checked and private when connected to is refused', async () => {
  const outbound = createOutbound({ resolve: answers('93.184.216.34', '127.0.0.1') })
  await outbound.check('http://rebind.example/')
  await assert.rejects(
    request(`http://rebind.example:${port}/`, { dispatcher: outbound.dispatcher }),
    AddressRefusedError,
  )
  await outbound.close()
})

test('a name with one private address among public ones is refused', async () => {
  const resolve: OutboundOptions['resolve'] = (_, __, callback) =>
    callback(null, [
      { address: '93.184.216.34', family: 4 },
      { address: '192.168.0.1', family: 4 },
    ])
  await assert.rejects(reach('http://mixed.example/', { resolve }), AddressRefusedError)
})

test('check refuses other schemes, and addresses without a look-up', async () => {
  const outbound = createOutbound({ resolve: () => assert.fail('looked up') })
  await assert.rejects(outbound.check('file:///etc/passwd'), TypeError)
  await assert.rejects(outbound.check('http://169.254.169.254/latest'), AddressRefusedError)
  await outbound.check('https://1.1.1.1/')
  await outbound.close()
})
