import { address, lineItem, money, visitDetails } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, count, flag, id, list, text, time, url } from './schema.ts'

const cart = { cart_id: id('crt_300') }
const owner = { customer_id: id('cus_204'), visitor_id: id('vis_5c1e') }
const checkout = { checkout_id: id('chk_61') }
const step = choice('contact', 'address', 'shipping', 'payment', 'review')
const wishlist = { wishlist_id: id('wsh_4') }

export const carts = defineDomain('cart', 'What comes before an order: carts, checkouts, wishlists.', {
  'cart.created': {
    description: 'A visitor put a first item into a cart that was not there before.',
    required: { ...cart, created_at: time() },
    optional: { ...owner, items: list(lineItem), session_id: id('ses_88') },
  },
  'cart.updated': {
    description: 'The items or prices of a cart changed; the payload holds the cart as it is now.',
    required: { ...cart, item_count: count(2), total: money(4900), updated_at: time() },
    optional: { ...owner, items: list(lineItem), discount: money(200) },
  },
  'cart.emptied': {
    description: 'Everything was taken out of a cart at once.',
    required: { ...cart, emptied_by: choice('customer', 'system'), emptied_at: time() },
    optional: owner,
  },
  'cart.merged': {
    description: 'The cart of a visitor became part of the cart the same customer had already.',
    required: { ...cart, merged_cart_id: id('crt_299') },
    optional: { ...owner, item_count: count(3), merged_at: time() },
  },
  'cart.abandoned': {
    description: 'A cart with items was left alone for as long as the shop waits.',
    required: { ...cart, total: money(4900), last_changed_at: time(), abandoned_at: time('2026-03-14T13:26:53Z') },
    optional: { ...owner, items: list(lineItem), recovery_url: url('https://shop.example/carts/crt_300') },
  },
  'cart.recovered': {
    description: 'A customer came back to an abandoned cart.',
    required: { ...cart, recovered_at: time('2026-03-15T08:11:00Z') },
    optional: { ...owner, recovered_through: choice('email', 'sms', 'push', 'ad', 'direct') },
  },
  'cart_item.added': {
    description: 'An item was put into a cart, or more of it.',
    required: { ...cart, item: lineItem },
    optional: { ...owner, added_from: choice('product-page', 'listing', 'wishlist', 'recommendation', 'reorder') },
  },
  'cart_item.removed': {
    description: 'An item was taken out of a cart, or some of it.',
    required: { ...cart, item: lineItem, remaining_quantity: count(0) },
    optional: owner,
  },
  'checkout.started': {
    description: 'A customer went from the cart to the checkout.',
    required: { ...checkout, items: list(lineItem), total: money(4900), started_at: time() },
    optional: { ...cart, ...owner, ...visitDetails },
  },
  'checkout.updated': {
    description: 'A customer finished a step of the checkout or went back to one.',
    required: { ...checkout, step, updated_at: time() },
    optional: { ...owner, total: money(5400), shipping_address: address, shipping_method: text('standard') },
  },
  'checkout.failed': {
    description: 'A step of the checkout could not be finished, and the customer saw why.',
    required: { ...checkout, step, reason: choice('payment', 'stock', 'address', 'shipping', 'technical') },
    optional: { ...owner, message: text('We do not deliver to this address.') },
  },
  'checkout.completed': {
    description: 'A customer finished the checkout, and there is an order now.',
    required: { ...checkout, order_id: id('ord_1042'), completed_at: time() },
    optional: { ...owner, duration_seconds: count(140), is_guest: flag(false) },
  },
  'checkout.abandoned': {
    description: 'A checkout was left before its end, for as long as the shop waits.',
    required: { ...checkout, last_step: step, abandoned_at: time('2026-03-14T10:26:53Z') },
    optional: { ...owner, total: money(5400), recovery_url: url('https://shop.example/checkouts/chk_61') },
  },
  'wishlist.created': {
    description: 'A customer began a list of things to buy some day.',
    required: { ...wishlist, name: text('Birthday'), created_at: time() },
    optional: { ...owner, is_public: flag(false) },
  },
  'wishlist.shared': {
    description: 'A customer showed a wishlist to others.',
    required: { ...wishlist, shared_through: choice('link', 'email', 'social', 'message') },
    optional: { ...owner, url: url('https://shop.example/wishlists/wsh_4') },
  },
  'wishlist_item.added': {
    description: 'A product was put on a wishlist.',
    required: { ...wishlist, product_id: id('prd_77'), added_at: time() },
    optional: { ...owner, price: money(2450), in_stock: flag() },
  },
  'wishlist_item.removed': {
    description: 'A product was taken off a wishlist.',
    required: { ...wishlist, product_id: id('prd_77'), cause: choice('customer', 'bought', 'product-deleted') },
    optional: { ...owner, days_on_list: count(12) },
  },
})
