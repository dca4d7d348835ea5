import { money } from './blocks.ts'
import { defineDomain } from './domain.ts'
import { choice, code, count, date, difference, flag, id, list, percent, text, time } from './schema.ts'

const coupon = { coupon_id: id('cpn_10'), code: text('SPRING10') }
const buyer = { customer_id: id('cus_204'), cart_id: id('crt_300') }
const discount = { discount_id: id('dsc_7'), name: text('Spring sale') }
const giftCard = { gift_card_id: id('gft_30') }
const last4 = code('^[0-9A-Z]{4}$', '7Q2D')
const member = { membership_id: id('loy_61') }
const memberDetails = { customer_id: id('cus_204'), program_id: id('prg_1') }

export const promotions = defineDomain('promotion', 'Coupons, discounts, gift cards, loyalty, referrals.', {
  'coupon.created': {
    description: 'A coupon code was made that customers can use.',
    required: { ...coupon, kind: choice('percent', 'amount', 'free-shipping', 'free-item') },
    optional: {
      percent: percent(10),
      amount: money(500),
      max_uses: count(1000, 1),
      expires_at: time('2026-06-01T00:00:00Z'),
    },
  },
  'coupon.applied': {
    description: 'A customer entered a coupon code and the cart got cheaper.',
    required: { ...coupon, discount: money(490) },
    optional: { ...buyer, checkout_id: id('chk_61') },
  },
  'coupon.rejected': {
    description: 'A customer entered a coupon code that could not be used.',
    required: {
      code: text('SPRING09'),
      reason: choice('unknown', 'expired', 'used-up', 'not-applicable', 'below-minimum'),
    },
    optional: { ...buyer, coupon_id: id('cpn_9') },
  },
  'coupon.redeemed': {
    description: 'An order was placed with a coupon, which counts as used.',
    required: { ...coupon, order_id: id('ord_1042'), discount: money(490), redeemed_at: time() },
    optional: { customer_id: id('cus_204'), uses_left: count(412) },
  },
  'coupon.expired': {
    description: 'The last day on which a coupon could be used has passed.',
    required: { ...coupon, expired_at: time('2026-06-01T00:00:00Z') },
    optional: { uses: count(588) },
  },
  'discount.started': {
    description: 'Prices went down for everybody, for a time.',
    required: { ...discount, kind: choice('percent', 'amount', 'bundle'), ends_at: time('2026-03-31T23:59:59Z') },
    optional: { percent: percent(15), amount: money(300), product_ids: list(id('prd_77')), started_at: time() },
  },
  'discount.ended': {
    description: 'Prices that were down for a time are as before.',
    required: { ...discount, ended_at: time('2026-03-31T23:59:59Z') },
    optional: { orders: count(310), revenue: money(1_204_000) },
  },
  'gift_card.issued': {
    description: 'A gift card with a balance was made, sold or given.',
    required: { ...giftCard, balance: money(5000), issued_at: time() },
    optional: { order_id: id('ord_1042'), last4, expires_on: date('2029-03-14'), for_recipient: flag() },
  },
  'gift_card.redeemed': {
    description: 'A gift card paid for an order or a part of it.',
    required: { ...giftCard, amount: money(2000), balance: money(3000), order_id: id('ord_1042') },
    optional: { customer_id: id('cus_204'), last4, redeemed_at: time() },
  },
  'gift_card.topped_up': {
    description: 'Money was added to a gift card that was there already.',
    required: { ...giftCard, amount: money(2500), balance: money(5500) },
    optional: { last4, payment_id: id('pay_900') },
  },
  'gift_card.disabled': {
    description: 'A gift card cannot be used any more, though there is money on it.',
    required: { ...giftCard, balance: money(3000), reason: choice('lost', 'fraud', 'refunded', 'other') },
    optional: { last4, disabled_at: time() },
  },
  'gift_card.expired': {
    description: 'A gift card was not used up in time and what was left on it is lost.',
    required: { ...giftCard, lost_balance: money(3000), expired_on: date('2029-03-14') },
    optional: { last4, customer_id: id('cus_204') },
  },
  'loyalty_member.enrolled': {
    description: 'A customer joined a loyalty program.',
    required: { ...member, program_id: id('prg_1'), enrolled_at: time() },
    optional: { customer_id: id('cus_204'), tier: text('bronze'), welcome_points: count(100) },
  },
  'loyalty_points.earned': {
    description: 'A member of a loyalty program got points.',
    required: {
      ...member,
      points: count(49, 1),
      balance: count(149),
      cause: choice('order', 'review', 'referral', 'birthday', 'bonus'),
    },
    optional: { ...memberDetails, order_id: id('ord_1042'), expires_on: date('2027-03-14') },
  },
  'loyalty_points.spent': {
    description: 'A member of a loyalty program gave points for a reward or a lower price.',
    required: { ...member, points: count(100, 1), balance: count(49) },
    optional: { ...memberDetails, reward: text('free shipping'), order_id: id('ord_1042') },
  },
  'loyalty_points.adjusted': {
    description: 'The points of a member were corrected by hand.',
    required: { ...member, difference: difference(-20), balance: count(29), reason: text('Counted twice.') },
    optional: { ...memberDetails, adjusted_by: id('usr_12') },
  },
  'loyalty_points.expired': {
    description: 'Points that a member did not use in time are gone.',
    required: { ...member, points: count(29, 1), balance: count(0), expired_on: date('2027-03-14') },
    optional: memberDetails,
  },
  'loyalty_tier.reached': {
    description: 'A member of a loyalty program rose to a higher tier.',
    required: { ...member, tier: text('silver'), previous_tier: text('bronze'), reached_at: time() },
    optional: { ...memberDetails, expires_on: date('2027-12-31') },
  },
  'loyalty_tier.lost': {
    description: 'A member of a loyalty program fell to a lower tier.',
    required: {
      ...member,
      tier: text('bronze'),
      previous_tier: text('silver'),
      lost_at: time('2028-01-01T00:00:00Z'),
    },
    optional: memberDetails,
  },
  'referral.made': {
    description: 'A customer recommended the shop to somebody.',
    required: { referral_id: id('rfl_9'), referrer_id: id('cus_204'), code: text('FRIEND-7') },
    optional: { shared_through: choice('link', 'email', 'social', 'message'), made_at: time() },
  },
  'referral.converted': {
    description: 'Somebody who was recommended by a customer bought for the first time.',
    required: {
      referral_id: id('rfl_9'),
      referrer_id: id('cus_204'),
      customer_id: id('cus_377'),
      order_id: id('ord_1101'),
    },
    optional: { reward: money(1000), converted_at: time() },
  },
})
