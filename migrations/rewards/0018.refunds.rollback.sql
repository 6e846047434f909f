DROP TABLE rewards.parked_refunds;
DROP INDEX rewards.purchases_of_payments;
