/** A value in a template: what JSON has. */
export type Json = string | number | boolean | readonly Json[] | { readonly [name: string]: Json };

export type JsonObject = { readonly [name: string]: Json };

export interface TemplateParameter {
  readonly Type: 'String' | 'CommaDelimitedList';
  readonly Description: string;
  readonly Default?: string;
  readonly AllowedValues?: readonly string[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
  readonly NoEcho?: boolean;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: 'Delete' | 'Retain';
  readonly UpdateReplacePolicy?: 'Delete' | 'Retain';
  readonly Properties?: JsonObject;
}

export interface TemplateOutput {
  readonly Description: string;
  readonly Condition?: string;
  readonly Value: Json;
}

/** The sections of a CloudFormation template that we use. */
export interface CloudFormationTemplate {
  readonly AWSTemplateFormatVersion: '2010-09-09';
  readonly Description: string;
  readonly Metadata: JsonObject;
  readonly Parameters: Readonly<Record<string, TemplateParameter>>;
  readonly Conditions: Readonly<Record<string, Json>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs: Readonly<Record<string, TemplateOutput>>;
}

/** As whom Postern asks Amazon's services. */
export type Principal =
  /** An IAM user for machines outside of AWS; `accessKey` makes the key in the stack, its secret stands in the outputs. */
  | { readonly kind: 'user'; readonly accessKey: boolean }
  /** A role for EC2 instances, with its instance profile: no key exists. */
  | { readonly kind: 'ec2' }
  /** A role that another role or user may assume. */
  | { readonly kind: 'role'; readonly trust: string; readonly externalId?: string | undefined }
  /** It is there already, from another stack of ours: its name is a parameter. IAM knows no regions. */
  | { readonly kind: 'existing'; readonly type: 'user' | 'role' };

export interface SesTemplateOptions {
  /** The domains to make identities of: normalized names, at most `DOMAINS_PER_TEMPLATE`. */
  readonly domains: readonly string[];
  readonly principal: Principal;
  /** Preference of the MX record that leads to SES; undefined: SES receives nothing for us. */
  readonly mxPreference?: number | undefined;
  /** Our own host, when it receives (SES is the backup) or sends directly as well. */
  readonly host?: string | undefined;
  /** Subdomain for the envelope sender; '' is off. */
  readonly mailFromSubDomain: string;
  /** Mail that nobody fetched is deleted after so many days. */
  readonly expiryDays: number;
  /** Identities only: bucket, topic, rule set and user are of the first template, and are parameters here. */
  readonly part?: { readonly number: number; readonly of: number } | undefined;
}
