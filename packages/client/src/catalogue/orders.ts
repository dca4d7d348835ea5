import { address, changedFields, initiator, item, lineItem, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { between, choice, count, date, flag, id, list, text, time } from './schema.ts'

const order = { order_id: id('ord_1042') }
const orderDetails = { order_number: text('#1042'), customer_id: id('cus_204') }

export const orders = defineDomain('order', 'Orders, from placed to completed.', {
  'order.created': {
    description: 'A customer placed an order; it may still have to be paid.',
    required: { ...order, items: list(lineItem), total: money(5400), created_at: time() },
    optional: {
      ...orderDetails,
      checkout_id: id('chk_61'),
      sales_channel: choice('web', 'app', 'point-of-sale', 'marketplace', 'phone', 'other'),
      subtotal: money(4900),
      tax: money(300),
      shipping: money(400),
      discount: money(200),
      coupon_codes: list(text('SPRING10')),
      shipping_address: address,
      billing_address: address,
    },
  },
  'order.confirmed': {
    description: 'The shop accepted an order and will deliver it.',
    required: { ...order, confirmed_at: time() },
    optional: { ...orderDetails, expected_delivery_on: date('2026-03-18') },
  },
  'order.updated': {
    description: 'An order that is under way was changed: items, addresses, notes or prices.',
    required: { ...order, changed_fields: changedFields, updated_at: time() },
    optional: { ...orderDetails, items: list(lineItem), total: money(5400), updated_by: initiator },
  },
  'order.paid': {
    description: 'The whole amount of an order has been paid, by one payment or several.',
    required: {
      ...order,
      amount: money(5400),
      payment_method: choice('card', 'bank-transfer', 'wallet', 'invoice', 'cash', 'gift-card', 'other'),
      paid_at: time(),
    },
    optional: { ...orderDetails, payment_ids: list(id('pay_900')) },
  },
  'order.held': {
    description: 'Work on an order stopped until somebody or something releases it.',
    required: { ...order, reason: choice('fraud-check', 'payment', 'stock', 'address', 'customer-request', 'other') },
    optional: { ...orderDetails, held_at: time(), note: text('Asked for the flat number.') },
  },
  'order.released': {
    description: 'Work on an order that was held goes on.',
    required: { ...order, released_at: time() },
    optional: { ...orderDetails, released_by: id('usr_12') },
  },
  'order.flagged': {
    description: 'A check found that an order may be fraud; nothing is decided yet.',
    required: { ...order, risk_score: between(0, 1, 0.83), signals: list(text('address-mismatch')) },
    optional: { ...orderDetails, recommendation: choice('accept', 'review', 'cancel') },
  },
  'order.fulfilled': {
    description: 'Items of an order left the shop, all of them or a part.',
    required: { ...order, fulfillment_id: id('ful_17'), items: list(item), is_complete: flag(), fulfilled_at: time() },
    optional: { ...orderDetails, shipment_ids: list(id('shp_55')), location_id: id('loc_2') },
  },
  'order.completed': {
    description: 'An order is paid and delivered; nothing is left to do.',
    required: { ...order, completed_at: time('2026-03-19T11:40:00Z') },
    optional: { ...orderDetails, total: money(5400), days_taken: count(5) },
  },
  'order.cancelled': {
    description: 'An order was called off before it was delivered.',
    required: {
      ...order,
      reason: choice('customer', 'fraud', 'stock', 'payment', 'duplicate', 'other'),
      cancelled_at: time(),
    },
    optional: { ...orderDetails, cancelled_by: initiator, note: text('Ordered twice.'), restocked: flag() },
  },
  'order.refunded': {
    description: 'Money for an order was given back, all of it or a part.',
    required: { ...order, refund_id: id('ref_8'), amount: money(2450), is_full: flag(false) },
    optional: { ...orderDetails, items: list(item), reason: text('One mug was broken.'), refunded_at: time() },
  },
  'order.archived': {
    description: 'An order was put away and is not shown any more among the current ones.',
    required: { ...order, archived_at: time('2026-04-19T00:00:00Z') },
    optional: orderDetails,
  },
  'order_item.backordered': {
    description: 'An item of an order is not in stock and will be sent later.',
    required: { ...order, item, expected_on: date('2026-03-28') },
    optional: { customer_informed: flag() },
  },
})
