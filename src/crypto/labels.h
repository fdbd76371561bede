/*
 * labels.h - every label under which a key is derived or a message is bound
 *
 * Two uses never share a label. docs/formats/keys.md says what each is for.
 */
#ifndef SAT_SRC_CRYPTO_LABELS_H
#define SAT_SRC_CRYPTO_LABELS_H

/* Info of HKDF. */
#define SAT_LABEL_COMMIT "satchel-v1 commit"
#define SAT_LABEL_STREAM "satchel-v1 stream"
#define SAT_LABEL_SECRET_KEY_CHECK "satchel-v1 secret key check"
#define SAT_LABEL_PASSWORD_SALT "satchel-v1 password salt"
#define SAT_LABEL_PASSWORD_SLOT "satchel-v1 password slot"
#define SAT_LABEL_PASSWORD_SIGN "satchel-v1 password principal sign"
#define SAT_LABEL_PASSWORD_EXCHANGE "satchel-v1 password principal exchange"
#define SAT_LABEL_PASSWORD_LOGIN "satchel-v1 password login"
#define SAT_LABEL_PHRASE_SLOT "satchel-v1 phrase slot"
#define SAT_LABEL_PHRASE_SIGN "satchel-v1 phrase principal sign"
#define SAT_LABEL_PHRASE_EXCHANGE "satchel-v1 phrase principal exchange"
#define SAT_LABEL_KEYCHAIN_SLOT "satchel-v1 keychain slot"
#define SAT_LABEL_SLOT_TIE "satchel-v1 slot tie"
#define SAT_LABEL_DEVICE_SECRETS "satchel-v1 device secrets"
#define SAT_LABEL_ACCOUNT_VAULT "satchel-v1 account vault"
#define SAT_LABEL_SAFETY "satchel-v1 safety number"
#define SAT_LABEL_ITEM "satchel-v1 item"
#define SAT_LABEL_HEAD_KNOWLEDGE "satchel-v1 head knowledge"
#define SAT_LABEL_BACKUP_MANIFEST "satchel-v1 backup manifest"
#define SAT_LABEL_BACKUP_STATE "satchel-v1 backup state"
#define SAT_LABEL_TRANSFER_CHECK "satchel-v1 transfer code check"
#define SAT_LABEL_TRANSFER_CLAIM "satchel-v1 transfer claim"
#define SAT_LABEL_TRANSFER_SESSION "satchel-v1 transfer session"
#define SAT_LABEL_TRANSFER_RELEASE "satchel-v1 transfer release"
#define SAT_LABEL_TRANSFER_DIGITS "satchel-v1 transfer digits"
#define SAT_LABEL_TRANSFER_STATE "satchel-v1 transfer state"

#define SAT_LABEL_HUB_IDENTITY "satchel-v1 hub identity"
#define SAT_LABEL_HUB_TOKEN "satchel-v1 hub token"
#define SAT_LABEL_HUB_SEAL "satchel-v1 hub seal"
#define SAT_LABEL_HUB_HASH "satchel-v1 hub hash"
#define SAT_LABEL_HUB_BLOBS "satchel-v1 hub blobs"
#define SAT_LABEL_HUB_PUSH "satchel-v1 hub push"
#define SAT_LABEL_HUB_BUS "satchel-v1 hub bus"
#define SAT_LABEL_HUB_METRICS "satchel-v1 hub metrics"

/* Purposes of sealed messages. */
#define SAT_PURPOSE_SLOT "slot"
#define SAT_PURPOSE_MASTER_KEY "master key"
#define SAT_PURPOSE_DEVICE_SECRETS "device secrets"
#define SAT_PURPOSE_FILE "file"
#define SAT_PURPOSE_ITEM "item"
#define SAT_PURPOSE_HEAD_KNOWLEDGE "head knowledge"
#define SAT_PURPOSE_CHAIN_KEY "chain key"
#define SAT_PURPOSE_BACKUP_PACK "backup pack"
#define SAT_PURPOSE_BACKUP_MANIFEST "backup manifest" /* of signatures too */
#define SAT_PURPOSE_TRANSFER_RELEASE "transfer release"
#define SAT_PURPOSE_TRANSFER_BLOB "transfer blob"
#define SAT_PURPOSE_TRANSFER_STATE "transfer state"

#define SAT_PURPOSE_HUB_SECRET "hub secret"

/* Purposes of signatures. */
#define SAT_PURPOSE_REGISTER "register"
#define SAT_PURPOSE_LOGIN "login"
#define SAT_PURPOSE_REFRESH "refresh"
#define SAT_PURPOSE_PASSWORD "password"
#define SAT_PURPOSE_ACCOUNT_LINK "account link"
#define SAT_PURPOSE_VAULT_LINK "vault link"
#define SAT_PURPOSE_HEAD "head"
#define SAT_PURPOSE_TRANSFER_CLAIM "transfer claim"

#endif /* SAT_SRC_CRYPTO_LABELS_H */
