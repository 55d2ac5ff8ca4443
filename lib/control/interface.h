/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interface - what can be asked over the control socket.
 *
 * docs/io.multihomed.varlink, which GetInterfaceDescription serves as it is, is
 * the contract; the names and parameter tables here are the same thing for the
 * compiler, and tests/unit/test_varlink.c holds them together. To add a method:
 * describe it in the text, name it here, give it a row in interface.c.
 */
#ifndef INTERFACE_H
#define INTERFACE_H

#include "control/varlink.h"

#define INTERFACE_SOCKET "/run/multihomed/io.multihomed"

#define INTERFACE_NAME	  "io.multihomed"
#define INTERFACE_SERVICE "org.varlink.service"

#define INTERFACE_STATUS   INTERFACE_NAME ".Status"
#define INTERFACE_SUBNETS  INTERFACE_NAME ".Subnets"
#define INTERFACE_TABLE	   INTERFACE_NAME ".Table"
#define INTERFACE_EXPLAIN  INTERFACE_NAME ".Explain"
#define INTERFACE_BINDINGS INTERFACE_NAME ".Bindings"
#define INTERFACE_PINS	   INTERFACE_NAME ".Pins"
#define INTERFACE_MPTCP	   INTERFACE_NAME ".Mptcp"
#define INTERFACE_UNPIN	   INTERFACE_NAME ".Unpin"
#define INTERFACE_VERIFY   INTERFACE_NAME ".Verify"
#define INTERFACE_DOCTOR   INTERFACE_NAME ".Doctor"
#define INTERFACE_MONITOR  INTERFACE_NAME ".Monitor"
#define INTERFACE_METRICS  INTERFACE_NAME ".Metrics"
#define INTERFACE_WAIT	   INTERFACE_NAME ".Wait"
#define INTERFACE_RELOAD   INTERFACE_NAME ".Reload"
#define INTERFACE_CONFIRM  INTERFACE_NAME ".Confirm"

#define INTERFACE_GET_INFO	  INTERFACE_SERVICE ".GetInfo"
#define INTERFACE_GET_DESCRIPTION INTERFACE_SERVICE ".GetInterfaceDescription"

#define INTERFACE_ERROR_TIMEOUT	       INTERFACE_NAME ".Timeout"
#define INTERFACE_ERROR_CONFIG_INVALID INTERFACE_NAME ".ConfigInvalid"
#define INTERFACE_ERROR_NO_SUBNET      INTERFACE_NAME ".NoSuchSubnet"
#define INTERFACE_ERROR_NO_LINK	       INTERFACE_NAME ".NoSuchLink"
#define INTERFACE_ERROR_NO_TRIAL       INTERFACE_NAME ".NoTrial"
#define INTERFACE_ERROR_KERNEL	       INTERFACE_NAME ".KernelFailed"

#define INTERFACE_ERROR_NO_INTERFACE  INTERFACE_SERVICE ".InterfaceNotFound"
#define INTERFACE_ERROR_NO_METHOD     INTERFACE_SERVICE ".MethodNotFound"
#define INTERFACE_ERROR_NOT_BUILT     INTERFACE_SERVICE ".MethodNotImplemented"
#define INTERFACE_ERROR_INVALID	      INTERFACE_SERVICE ".InvalidParameter"
#define INTERFACE_ERROR_PERMISSION    INTERFACE_SERVICE ".PermissionDenied"
#define INTERFACE_ERROR_EXPECTED_MORE INTERFACE_SERVICE ".ExpectedMore"

struct interface_method {
	const char *name;		    /* with the interface */
	const struct varlink_param *params; /* for varlink_check() */
};

struct interface_error {
	const char *name; /* with the interface */
	const char *help; /* for people, no full stop */
};

/* Both end with a NULL name. */
extern const struct interface_method interface_methods[];
extern const struct interface_error interface_errors[];

/* The method of that name, or NULL. */
const struct interface_method *interface_method_find(const char *name);

/* The error of that name, or NULL. */
const struct interface_error *interface_error_find(const char *name);

/**
 * interface_description() - the text of one interface
 * @name: INTERFACE_NAME or INTERFACE_SERVICE
 *
 * Return: static text in the Varlink definition language, or NULL.
 */
const char *interface_description(const char *name);

/**
 * interface_info() - the parameters of a reply to GetInfo
 *
 * Return: a new object, or NULL when out of memory.
 */
struct json_object *interface_info(const char *version);

#endif
