/** On whose behalf a check connects, which decides where it may. */
export interface Reach {
  /** The VM's own address or host name. */
  vmAddress: string | null;
  /** Whether an administrator set its type, target and options, and the address that they are used with. */
  byAdmin: boolean;
  /** CIDRs and addresses that the tenant's checks may reach, given by an operator; none = its VMs' own addresses. */
  tenantTargets: readonly string[];
}
