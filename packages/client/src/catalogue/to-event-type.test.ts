import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventType } from './event-type.ts'
import { toEventType } from './to-event-type.ts'

const toPascal = (name: string): string =>
  name.replaceAll(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())

test('every event type is found by its name, its constant and its name in camel case', () => {
  for (const [constant, name] of Object.entries(EventType)) {
    const pascal = toPascal(name)
    const camel = `${pascal.charAt(0).toLowerCase()}${pascal.slice(1)}`
    for (const spelling of [name, constant, pascal, camel, name.replace('.', '/'), name.replaceAll(/[._]/g, '-')]) {
      assert.equal(toEventType(spelling), name, spelling)
    }
  }
})

test('abbreviations may be written in capitals', () => {
  assert.equal(toEventType('SMSSent'), 'sms.sent')
  assert.equal(toEventType('WhatsAppMessageRead'), 'whatsapp_message.read')
})

test('what is not in the catalogue has no canonical name', () => {
  for (const name of [
    '',
    'order',
    'created',
    'crm.OrderCreated',
    'order.created!',
    'orders.created',
    'constructor',
    'ôrder.created',
  ]) {
    assert.equal(toEventType(name), undefined, name)
  }
})
