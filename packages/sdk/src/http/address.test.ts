import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toBlockList, toRefusal } from './address.ts'

const none = toBlockList([])

const refused = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '2002:7f00:1::',
  '2002:a9fe:a9fe::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2001:db8::1',
  '2001:0:7f00:1::',
  '0:0:0:0:0:ffff:10.1.2.3',
  '64:ff9b:1::1',
  'not an address',
  '',
]
for (const address of refused)
  test(`${address || 'nothing'} is refused`, () => {
    assert.ok(toRefusal(address, none))
  })

const open = [
  '1.1.1.1',
  '8.8.8.8',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.1.1',
  '198.20.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::1',
  '2a00::1',
]
for (const address of open)
  test(`${address} is open`, () => {
    assert.equal(toRefusal(address, none), undefined)
  })

test('what is allowed by its network is open, in whatever form it is written', () => {
  const allowed = toBlockList(['127.0.0.0/8', 'fd00::/8', '10.1.2.3'])
  for (const address of ['127.0.0.1', '::ffff:127.0.0.1', 'fd00::5', '10.1.2.3'])
    assert.equal(toRefusal(address, allowed), undefined, address)
  for (const address of ['10.1.2.4', 'fc00::1', '::1']) assert.ok(toRefusal(address, allowed), address)
})

test('what is no network is refused by name', () => {
  for (const cidr of ['10.0.0.0/33', 'localhost', '10.0.0.0/', '10.0.0.0/x', 'fd00::/129', ''])
    assert.throws(() => toBlockList([cidr]), TypeError, cidr)
})
