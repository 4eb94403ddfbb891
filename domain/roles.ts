/** Who a token speaks as. OPERATORs run the installation, ADMINs and USERs are a tenant's people, an AGENT is one VM's. */
export const ROLES = ['USER', 'ADMIN', 'OPERATOR', 'AGENT'] as const;
export type Role = (typeof ROLES)[number];

/** People of a tenant. */
export const PEOPLE: readonly Role[] = ['USER', 'ADMIN', 'OPERATOR'];
export const ADMINS: readonly Role[] = ['ADMIN', 'OPERATOR'];
export const OPERATORS: readonly Role[] = ['OPERATOR'];
/** Those who may report for a VM. */
export const REPORTERS: readonly Role[] = ['AGENT', 'ADMIN', 'OPERATOR'];
