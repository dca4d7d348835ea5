import { failure, lineItem, money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, date, flag, id, list, percent, text, time, url } from './schema.ts'

const invoice = { invoice_id: id('inv_2026_18') }
const invoiceDetails = { invoice_number: text('2026-0018'), customer_id: id('cus_204'), subscription_id: id('sub_40') }
const creditNote = { credit_note_id: id('crn_3'), amount: money(2450) }

export const invoices = defineDomain('invoice', 'Invoices and credit notes, from draft to paid or given up.', {
  'invoice.created': {
    description: 'A draft of an invoice was made; it is not owed yet and may still change.',
    required: { ...invoice, total: money(14900), created_at: time() },
    optional: { ...invoiceDetails, items: list(lineItem), order_id: id('ord_1042') },
  },
  'invoice.issued': {
    description: 'An invoice got its number, does not change any more, and is owed.',
    required: { ...invoice, invoice_number: text('2026-0018'), total: money(14900), due_on: date('2026-04-13') },
    optional: { ...invoiceDetails, items: list(lineItem), tax: money(1900), tax_percent: percent(14.975) },
  },
  'invoice.sent': {
    description: 'An invoice went out to the one who owes it.',
    required: { ...invoice, sent_through: choice('email', 'post', 'portal', 'e-invoice'), sent_at: time() },
    optional: { ...invoiceDetails, document_url: url('https://shop.example/invoices/2026-0018.pdf') },
  },
  'invoice.viewed': {
    description: 'The one who owes an invoice opened it.',
    required: { ...invoice, viewed_at: time('2026-03-15T07:30:00Z') },
    optional: { ...invoiceDetails, view_count: count(1, 1) },
  },
  'invoice.paid': {
    description: 'The whole amount of an invoice has been paid.',
    required: { ...invoice, amount: money(14900), paid_at: time('2026-04-02T10:00:00Z') },
    optional: { ...invoiceDetails, payment_ids: list(id('pay_900')), paid_early: flag() },
  },
  'invoice_payment.failed': {
    description: 'An automatic payment of an invoice was tried and did not work; the invoice is still owed.',
    required: { ...invoice, amount: money(14900), failure, attempt: count(1, 1) },
    optional: { ...invoiceDetails, next_attempt_at: time('2026-04-16T09:00:00Z') },
  },
  'invoice.became_overdue': {
    description: 'The day by which an invoice should have been paid has passed.',
    required: { ...invoice, amount_due: money(14900), due_on: date('2026-04-13') },
    optional: invoiceDetails,
  },
  'invoice.reminded': {
    description: 'The one who owes an invoice was asked for the money again.',
    required: { ...invoice, level: count(1, 1), reminded_at: time('2026-04-20T08:00:00Z') },
    optional: { ...invoiceDetails, amount_due: money(14900), fee: money(500) },
  },
  'invoice.voided': {
    description: 'An invoice was a mistake and is owed no more.',
    required: { ...invoice, reason: text('Wrong address.'), voided_at: time() },
    optional: { ...invoiceDetails, replaced_by: id('inv_2026_19') },
  },
  'invoice.written_off': {
    description: 'The money of an invoice is not expected any more.',
    required: { ...invoice, amount: money(14900), written_off_at: time('2026-12-31T12:00:00Z') },
    optional: { ...invoiceDetails, reason: choice('insolvency', 'untraceable', 'goodwill', 'too-small', 'other') },
  },
  'credit_note.issued': {
    description: 'A document says that a customer owes less than an invoice says.',
    required: { ...creditNote, ...invoice, issued_at: time() },
    optional: { customer_id: id('cus_204'), reason: text('One mug was broken.') },
  },
  'credit_note.applied': {
    description: 'The amount of a credit note was set against an invoice.',
    required: { ...creditNote, ...invoice, applied_at: time() },
    optional: { customer_id: id('cus_204'), remaining: money(0) },
  },
})
