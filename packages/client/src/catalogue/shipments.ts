import { address, item, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { between, choice, count, date, flag, id, list, object, text, time, url } from './schema.ts'

const shipment = { shipment_id: id('shp_55') }
const tracking = {
  order_id: id('ord_1042'),
  carrier: text('Postes'),
  tracking_number: text('PX123456789CA'),
  tracking_url: url('https://carrier.example/track/PX123456789CA'),
}
const place = object({ city: text('Laval') }, { facility: text('sorting centre'), country: text('CA') })
const goodsReturn = { return_id: id('ret_21') }
const returnDetails = { order_id: id('ord_1042'), customer_id: id('cus_204') }
const condition = choice('new', 'opened', 'used', 'damaged')

export const shipments = defineDomain('shipment', 'Goods on their way to the customer, and back.', {
  'shipment.created': {
    description: 'Goods were gathered into a parcel that is to be sent.',
    required: { ...shipment, items: list(item), destination: address },
    optional: { ...tracking, weight_grams: between(0, 1e9, 820), created_at: time() },
  },
  'shipment.labelled': {
    description: 'A parcel got a label and a tracking number from a carrier.',
    required: { ...shipment, carrier: text('Postes'), tracking_number: text('PX123456789CA') },
    optional: {
      order_id: id('ord_1042'),
      service: text('express'),
      cost: money(980),
      label_url: url('https://carrier.example/labels/1.pdf'),
    },
  },
  'shipment.dispatched': {
    description: 'A carrier took over a parcel, which is on its way now.',
    required: { ...shipment, dispatched_at: time() },
    optional: { ...tracking, expected_delivery_on: date('2026-03-18') },
  },
  'shipment.scanned': {
    description: 'A carrier saw a parcel at a place on its way.',
    required: { ...shipment, place, scanned_at: time('2026-03-15T22:10:00Z') },
    optional: { ...tracking, status: text('arrived at sorting centre') },
  },
  'shipment.cleared_customs': {
    description: 'The customs of a country let a parcel pass.',
    required: { ...shipment, cleared_at: time('2026-03-16T06:00:00Z') },
    optional: { ...tracking, duties: money(640) },
  },
  'shipment.delayed': {
    description: 'A parcel will arrive later than was said.',
    required: { ...shipment, expected_delivery_on: date('2026-03-20') },
    optional: {
      ...tracking,
      previously_expected_on: date('2026-03-18'),
      reason: choice('weather', 'customs', 'carrier', 'address', 'other'),
    },
  },
  'shipment.attempted': {
    description: 'A carrier came to deliver a parcel and could not leave it.',
    required: {
      ...shipment,
      attempt: count(1, 1),
      reason: choice('nobody-there', 'address', 'refused', 'access', 'other'),
    },
    optional: { ...tracking, attempted_at: time('2026-03-18T14:00:00Z'), next_attempt_on: date('2026-03-19') },
  },
  'shipment.delivered': {
    description: 'A parcel was handed over where it was to go.',
    required: { ...shipment, delivered_at: time('2026-03-18T14:05:00Z') },
    optional: {
      ...tracking,
      handed_to: choice('recipient', 'neighbour', 'locker', 'shop', 'doorstep'),
      proof_url: url('https://carrier.example/proof/1'),
    },
  },
  'shipment.lost': {
    description: 'The carrier does not know where a parcel is and has given up the search.',
    required: { ...shipment, last_seen_at: time('2026-03-15T22:10:00Z') },
    optional: { ...tracking, claim_id: id('clm_1'), declared_value: money(5400) },
  },
  'shipment.returned': {
    description: 'A parcel came back to its sender without having been delivered.',
    required: {
      ...shipment,
      reason: choice('unclaimed', 'refused', 'address', 'damaged', 'other'),
      returned_at: time('2026-03-30T09:00:00Z'),
    },
    optional: tracking,
  },
  'shipment.cancelled': {
    description: 'A parcel will not be sent after all.',
    required: { ...shipment, cancelled_at: time() },
    optional: { ...tracking, label_refunded: flag() },
  },
  'return.requested': {
    description: 'A customer wants to send goods back and waits for an answer.',
    required: {
      ...goodsReturn,
      items: list(item),
      reason: choice('wrong-size', 'not-as-described', 'damaged', 'late', 'changed-mind', 'other'),
    },
    optional: {
      ...returnDetails,
      wants: choice('refund', 'exchange', 'store-credit'),
      requested_at: time('2026-03-20T12:00:00Z'),
    },
  },
  'return.approved': {
    description: 'A customer may send goods back.',
    required: { ...goodsReturn, approved_at: time('2026-03-20T13:00:00Z') },
    optional: { ...returnDetails, label_url: url('https://carrier.example/labels/2.pdf'), due_on: date('2026-04-03') },
  },
  'return.rejected': {
    description: 'A customer may not send goods back.',
    required: {
      ...goodsReturn,
      reason: choice('too-late', 'excluded', 'used', 'other'),
      rejected_at: time('2026-03-20T13:00:00Z'),
    },
    optional: { ...returnDetails, message: text('The 30 days are over.') },
  },
  'return.received': {
    description: 'Goods that a customer sent back arrived at the shop.',
    required: { ...goodsReturn, items: list(item), received_at: time('2026-03-26T08:00:00Z') },
    optional: { ...returnDetails, location_id: id('loc_2') },
  },
  'return.inspected': {
    description: 'Somebody looked at the goods that came back and judged their state.',
    required: { ...goodsReturn, condition, can_be_sold: flag() },
    optional: { ...returnDetails, inspected_by: id('usr_12'), note: text('The box is torn.') },
  },
  'return.completed': {
    description: 'Goods came back and the customer got what was agreed for them.',
    required: {
      ...goodsReturn,
      outcome: choice('refunded', 'exchanged', 'credited', 'repaired'),
      completed_at: time('2026-03-27T08:00:00Z'),
    },
    optional: { ...returnDetails, refund_id: id('ref_8'), exchange_order_id: id('ord_1090'), amount: money(2450) },
  },
})
