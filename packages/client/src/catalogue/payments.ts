import { failure, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, code, count, date, flag, id, list, text, time } from './schema.ts'

const payment = { payment_id: id('pay_900'), amount: money(5400) }
const paidFor = { order_id: id('ord_1042'), invoice_id: id('inv_2026_18'), customer_id: id('cus_204') }
const method = choice('card', 'bank-transfer', 'direct-debit', 'wallet', 'cash', 'gift-card', 'other')
const processor = { processor: text('ccpay'), processor_reference: id('ch_3P9x') }
const card = {
  card_brand: text('visa'),
  card_last4: code('^[0-9]{4}$', '4242'),
  card_expires: code('^[0-9]{4}-(0[1-9]|1[0-2])$', '2028-11'),
}
const refund = { refund_id: id('ref_8'), payment_id: id('pay_900') }
const paymentMethod = { payment_method_id: id('pmt_6'), customer_id: id('cus_204') }
const dispute = { dispute_id: id('dsp_2'), payment_id: id('pay_900') }
const payout = { payout_id: id('pot_11'), amount: money(812300) }

export const payments = defineDomain('payment', 'Money in and out: payments, refunds, disputes, payouts.', {
  'payment.initiated': {
    description: 'Somebody asked to pay; the outcome is open.',
    required: { ...payment, method, initiated_at: time() },
    optional: { ...paidFor, ...processor },
  },
  'payment.authorized': {
    description: 'The bank reserved the amount of a payment; it has not been taken yet.',
    required: { ...payment, authorized_at: time() },
    optional: { ...paidFor, ...processor, ...card, method, expires_at: time('2026-03-21T09:26:53Z') },
  },
  'payment.captured': {
    description: 'The amount of a payment was taken from the payer.',
    required: { ...payment, method, captured_at: time() },
    optional: { ...paidFor, ...processor, ...card, is_final: flag() },
  },
  'payment.settled': {
    description: 'The money of a payment arrived, less the fees.',
    required: { ...payment, fee: money(186), net: money(5214), settled_on: date('2026-03-16') },
    optional: { ...paidFor, ...processor, payout_id: id('pot_11') },
  },
  'payment.failed': {
    description: 'A payment was tried and did not go through.',
    required: { ...payment, failure, failed_at: time() },
    optional: { ...paidFor, ...processor, method, attempt: count(1, 1), next_attempt_at: time('2026-03-17T09:00:00Z') },
  },
  'payment.voided': {
    description: 'A payment was called off before the amount was taken.',
    required: {
      ...payment,
      reason: choice('customer', 'order-cancelled', 'fraud', 'expired', 'other'),
      voided_at: time(),
    },
    optional: { ...paidFor, ...processor },
  },
  'refund.requested': {
    description: 'A customer asked for money back, and nobody decided yet.',
    required: { ...refund, amount: money(2450), reason: text('One mug was broken.') },
    optional: { ...paidFor, requested_at: time() },
  },
  'refund.approved': {
    description: 'A refund that was asked for will be paid.',
    required: { ...refund, amount: money(2450), approved_by: id('usr_12') },
    optional: { ...paidFor, approved_at: time() },
  },
  'refund.declined': {
    description: 'A refund that was asked for will not be paid.',
    required: { ...refund, reason: choice('too-late', 'used', 'not-covered', 'fraud', 'other'), declined_at: time() },
    optional: { ...paidFor, message: text('The 30 days are over.') },
  },
  'refund.issued': {
    description: 'The money of a refund is on its way to the customer.',
    required: { ...refund, amount: money(2450), issued_at: time() },
    optional: { ...paidFor, ...processor, destination: choice('original', 'store-credit', 'bank-transfer') },
  },
  'refund.failed': {
    description: 'The money of a refund could not be sent to the customer.',
    required: { ...refund, amount: money(2450), failure },
    optional: { ...paidFor, ...processor, failed_at: time() },
  },
  'payment_method.added': {
    description: 'A customer stored a way to pay for later.',
    required: { ...paymentMethod, method, added_at: time() },
    optional: { ...card, is_default: flag() },
  },
  'payment_method.updated': {
    description: 'A stored way to pay got new details, by the customer or by the bank.',
    required: { ...paymentMethod, updated_by: choice('customer', 'bank', 'staff'), updated_at: time() },
    optional: { ...card, is_default: flag() },
  },
  'payment_method.expired': {
    description: 'A stored way to pay is too old to be used.',
    required: { ...paymentMethod, method, expired_on: date('2026-02-28') },
    optional: { ...card, affected_subscription_ids: list(id('sub_40')) },
  },
  'payment_method.removed': {
    description: 'A customer does not want a way to pay to be stored any more.',
    required: { ...paymentMethod, removed_at: time() },
    optional: { removed_by: choice('customer', 'staff', 'system') },
  },
  'dispute.opened': {
    description: 'A payer told the bank that a payment was not right.',
    required: {
      ...dispute,
      amount: money(5400),
      reason: choice('fraud', 'not-received', 'not-as-described', 'duplicate', 'not-credited', 'other'),
      answer_due_at: time('2026-03-24T23:59:59Z'),
    },
    optional: { ...paidFor, ...processor, opened_at: time() },
  },
  'dispute.answered': {
    description: 'The shop sent its evidence on a dispute to the bank.',
    required: { ...dispute, evidence: list(text('proof-of-delivery')), answered_at: time() },
    optional: paidFor,
  },
  'dispute.won': {
    description: 'The bank decided a dispute for the shop, which keeps the money.',
    required: { ...dispute, amount: money(5400), decided_at: time('2026-04-20T08:00:00Z') },
    optional: paidFor,
  },
  'dispute.lost': {
    description: 'The bank decided a dispute for the payer, who has the money back.',
    required: { ...dispute, amount: money(5400), fee: money(1500), decided_at: time('2026-04-20T08:00:00Z') },
    optional: paidFor,
  },
  'payout.paid': {
    description: 'A processor sent the money it had collected to the account of the shop.',
    required: { ...payout, arrives_on: date('2026-03-17') },
    optional: { ...processor, payment_count: count(152), bank_account_last4: code('^[0-9]{4}$', '0099') },
  },
  'payout.failed': {
    description: 'The money a processor had collected could not be sent to the shop.',
    required: { ...payout, failure, failed_at: time() },
    optional: { ...processor, retried_on: date('2026-03-18') },
  },
})
